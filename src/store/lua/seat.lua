-- Stands before every script about one user's seat: names its keys, and holds the steps that several scripts share.

local lease, epochKey, active, licenseKey, licensed, counters, events, machines, machineNotes, settings, fence,
  takeovers, used, usage, users = unpack(KEYS)

-- An order that lay in a buffer, as of a Redis that was frozen, may come when whoever sent it has long been told that it
-- failed. ARGV[2], Redis ms, is when that was. The node may have had a wrong idea of the time: it learns it here.
if ARGV[2] and now > tonumber(ARGV[2]) then return redis.error_reply('LATE ' .. text(now)) end

-- At maxmemory Redis refuses the first write of a script where it may take memory, and lets a script finish that has
-- written. This writes nothing: for what ends or keeps a session, which must go on when new ones cannot be had.
local function writeAtMaxmemory()
  redis.call('HDEL', counters, '')
end

-- Promise 8: epoch = max(stored + 1, TIME, floor + 1), so that not even FLUSHALL reuses one. TIME in microseconds:
-- a rush of claims would outrun milliseconds, and who comes after a FLUSHALL would get an epoch given before.
local function nextEpoch(floor)
  local epoch = math.max(nowUs, floor + 1)
  local stored = tonumber(redis.call('SET', epochKey, text(epoch), 'GET') or '0')
  if stored < epoch then return epoch end
  redis.call('SET', epochKey, text(stored + 1))
  return stored + 1
end

-- The fence "<epoch>:<reason>": no lease below this epoch may come back for the user, for this reason.
-- It outlives the lease by a day.
local FENCE_MS = 86400000
local function raiseFence(epoch, reason)
  redis.call('SET', fence, text(epoch) .. ':' .. reason, 'PX', FENCE_MS)
end

local function readFence()
  local epoch, reason = string.match(redis.call('GET', fence) or '0:', '^(%d+):(.*)$')
  return tonumber(epoch), reason
end

-- Keeps a grant that Redis may have lost from coming back, unless the fence is above it already.
local function barReturn(epoch, reason)
  if readFence() <= epoch then raiseFence(epoch + 1, reason) end
end

-- A lease is "<sessionId>:<epoch>:<nodeId>:<since>:<machine as JSON>".
local function leaseValue(sessionId, epoch, nodeId, since, machine)
  return table.concat({ sessionId, text(epoch), nodeId, text(since), machine }, ':')
end

local function readLease(value)
  local sessionId, epoch, nodeId, since, machine = string.match(value, '^([^:]+):(%d+):([^:]+):(%d+):(.*)$')
  return {
    sessionId = sessionId, epoch = tonumber(epoch), nodeId = nodeId,
    since = tonumber(since), machine = cjson.decode(machine),
  }
end

local function appendEvent(order, fields)
  local flat = { 'at', text(now), 'user', order.user }
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('XADD', events, 'MAXLEN', '~', order.eventsKept, '*', unpack(flat))
end

-- Promise 4: one message to the one node that serves the loser. `by` is the winner's machine as JSON, if there is one.
local function notify(order, holder, notice, by)
  notice.type = notice.type or 'ended'
  notice.org = order.org
  notice.user = order.user
  notice.at = text(now)
  notice.sessionId = holder.sessionId
  notice.epoch = text(holder.epoch)
  local message = cjson.encode(notice)
  if by then message = string.sub(message, 1, -2) .. ',"by":' .. by .. '}' end
  redis.call('PUBLISH', order.channelPrefix .. holder.nodeId, message)
end

-- The counters of an hour and the users of a day are kept for 400 days.
local function keepUsage()
  redis.call('PEXPIRE', usage, 34560000000)
  redis.call('PEXPIRE', users, 34560000000)
end

-- So many more in the counters of the org and of this hour. A field that is new there may be the first of the hour.
local function count(field, more)
  more = more or 1
  redis.call('HINCRBY', counters, field, text(more))
  if redis.call('HINCRBY', usage, field, text(more)) == more then keepUsage() end
end

-- Adds the time that `seats` have been in use, which is since their number last changed.
local function accountTime(seats)
  local since = tonumber(redis.call('HGET', counters, 'seatAt') or now)
  local seatMs = (now - since) * seats
  if seatMs > 0 then count('seatMs', seatMs) end
  redis.call('HSET', counters, 'seatAt', text(now))
end

local function notePeak(seats)
  for _, hash in ipairs({ counters, usage }) do
    if seats > tonumber(redis.call('HGET', hash, 'peak') or '0') then
      if redis.call('HSET', hash, 'peak', seats, 'peakAt', text(now)) > 0 then keepUsage() end
    end
  end
end

-- Puts the user among the active, or moves the lease's end. Tells whether the user is new there.
local function enterActive(order)
  if redis.call('ZADD', active, text(now + order.ttlMs), order.user) == 0 then return false end
  local seats = redis.call('ZCARD', active)
  accountTime(seats - 1)
  notePeak(seats)
  return true
end

-- Takes the seat from its holder: counters, event and the time of the last use (promise 9).
local function endSeat(order, holder, reason)
  accountTime(redis.call('ZCARD', active))
  redis.call('DEL', lease)
  redis.call('ZREM', active, order.user)
  redis.call('ZADD', used, 'XX', text(now), order.user)
  count('ended:' .. reason)
  appendEvent(order, {
    type = 'ended', reason = reason, actor = order.actor, note = order.note,
    sessionId = holder and holder.sessionId, epoch = holder and text(holder.epoch),
    machine = holder and holder.machine.id, node = holder and holder.nodeId,
  })
end

-- Ends the session that has the seat, if there is one, and leaves a tombstone: an epoch above the session's, so that
-- no node brings back what it may still hold. The holder's node is told.
local function evictHolder(order, reason)
  local value = redis.call('GET', lease)
  local holder = value and readLease(value)
  local tombstone = nextEpoch(holder and holder.epoch or 0)
  raiseFence(tombstone, reason)
  if not holder then return nil end
  endSeat(order, holder, reason)
  notify(order, holder, { reason = reason, byEpoch = text(tombstone) })
  return holder
end

-- Whether one more license fits into the org's quota; without a quota, any number does.
local function hasQuotaLeft()
  local quota = redis.call('HGET', settings, 'quota')
  return not quota or redis.call('ZCARD', licensed) < tonumber(quota)
end

local function issueLicense(order, id)
  redis.call('HDEL', licenseKey, 'expiresAt', 'note')
  redis.call('HSET', licenseKey, 'id', id, 'status', 'active', 'issuedAt', text(now))
  redis.call('ZADD', licensed, text(now), order.user)
  redis.call('ZADD', used, text(now), order.user)
  redis.call('HINCRBY', counters, 'issued', 1)
  redis.call('HINCRBY', counters, 'licenseChanges', 1)
  appendEvent(order, { type = 'issued', license = id, actor = order.actor })
end
