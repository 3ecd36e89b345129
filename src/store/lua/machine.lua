-- machine: what is kept of a user's use: machines, doubles, and in which hours. Stands after seat.lua before claim.lua.

-- The user's machines: the newest 256, each with "<first seen>:<how often>:<machine as JSON>".
local function noteMachine()
  local first, often = string.match(redis.call('HGET', machineNotesKey, order.machineId) or '', '^(%d+):(%d+):')
  redis.call('ZADD', machinesKey, text(now), order.machineId)
  redis.call('HSET', machineNotesKey, order.machineId,
    table.concat({ first or text(now), text((often or 0) + 1), order.machine }, ':'))
  -- Promise 16: what is kept of a user who never comes again ends.
  if order.machinesKeptMs > 0 then
    redis.call('PEXPIRE', machinesKey, order.machinesKeptMs)
    redis.call('PEXPIRE', machineNotesKey, order.machinesKeptMs)
  end
  if first then return end
  local tooMany = redis.call('ZCARD', machinesKey) - 256
  local oldest = tooMany > 0 and redis.call('ZPOPMIN', machinesKey, tooMany) or {}
  for i = 1, #oldest, 2 do
    redis.call('HDEL', machineNotesKey, oldest[i])
    redis.call('HDEL', machineDoublesKey, oldest[i])
  end
end

-- Two processes with one machine id and two names at the same time: copies of one machine, most likely. A name that has
-- changed is no double (DHCP changes names), so only a session that is going on counts. Called after the gates: a claim
-- without the right to a session leaves no trace here.
local DOUBLE_MS = 2592000000
local function noteDouble(holder)
  local name, other = cjson.decode(order.machine).name, holder.machine.name
  if not name or not other or name == other then return end
  redis.call('HSET', machineDoublesKey, order.machineId, text(now) .. ':' .. cjson.encode({ other, name }))
  redis.call('PEXPIRE', machineDoublesKey, DOUBLE_MS)
end

-- Users of the quarter are in the hour too, and those of the hour in the day.
local function noteUse(licenseId, isRepeat)
  if redis.call('PFADD', usersOfQuarterKey, order.user) == 1 then
    if redis.call('PFADD', usersOfHourKey, order.user) == 1 then redis.call('PFADD', usersKey, order.user) end
    if isRepeat then keepUsage() end
  end
  if licenseId then redis.call('ZADD', usedKey, text(now), order.user) end
end
