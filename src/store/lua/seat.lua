-- Stands before every script about one user's seat: names its keys, and holds the steps that several scripts share.

local order = cjson.decode(ARGV[1])
eventsKept = order.eventsKept
org = order.org
floor, viewUs = tonumber(order.floor), tonumber(order.view)

-- An order that lay in a buffer, as of a Redis that was frozen, may come when whoever sent it has long been told that it
-- failed. ARGV[2], Redis ms, is when that was. The node may have had a wrong idea of the time: it learns it here.
if ARGV[2] and now > tonumber(ARGV[2]) then return redis.error_reply('LATE ' .. text(now)) end

-- At maxmemory Redis refuses the first write of a script where it may take memory, and lets a script finish that has
-- written. This writes nothing: for what ends or keeps a session, which must go on when new ones cannot be had.
local function writeAtMaxmemory()
  redis.call('HDEL', countersKey, '')
end

-- A reply, with what the node learns from every one: the time, the highest epoch, the newest event, a new reign.
local function encode(reply)
  reply.now = text(now)
  reply.given = reign and text(reign.last) or nil
  reply.event = written
  reply.reign = reign and reign.began or nil
  return cjson.encode(reply)
end

-- The fence "<rank>:<reason>": no lease of a lower rank may come back for the user, for this reason.
-- It outlives the lease by a day, and the ticket of a leave.
local FENCE_MS = 86400000
local function raiseFence(rank, reason, leaveUntil)
  -- A fence that is kept for the ticket of a leave is never cut short.
  local keptMs = math.max(FENCE_MS + math.max(0, (leaveUntil or now) - now), redis.call('PTTL', fenceKey))
  redis.call('SET', fenceKey, text(rank) .. ':' .. reason, 'PX', text(keptMs))
end

local function readFence()
  local rank, reason = string.match(redis.call('GET', fenceKey) or '0:', '^(%d+):(.*)$')
  return tonumber(rank), reason
end

-- Keeps a grant that Redis may have lost from coming back, unless the fence is above it already.
local function barReturn(epoch, reason)
  if readFence() <= epoch then raiseFence(epoch + 1, reason) end
end

-- An event about the order's user.
local function note(type, fields)
  fields.user = order.user
  emit(type, fields)
end

-- The history of the user: one line for each session that ended, and for what was refused.
local HISTORY_MS = 34560000000
local HISTORY_LINES = 5000
local function noteHistory(line)
  local oldest = math.max(0, math.floor(clockUs / 1000) - HISTORY_MS)
  redis.call('XADD', historyKey, 'MINID', text(oldest), '*', unpack(line))
  redis.call('PEXPIRE', historyKey, HISTORY_MS)
  if redis.call('XLEN', historyKey) > HISTORY_LINES then redis.call('XTRIM', historyKey, 'MAXLEN', HISTORY_LINES) end
end

-- Adds a field to a line, where there is a value.
local function add(line, name, value)
  if not value then return end
  line[#line + 1] = name
  line[#line + 1] = value
end

local function noteRefused(reason, machine, more)
  note('session.denied', { reason = reason, actor = 'user', machine = machine, count = more.count, node = more.node })
  local line = { 'refused', reason, 'machine', machine }
  add(line, 'count', more.count)
  noteHistory(line)
end

local function noteRefusals(entry)
  local count, reason, machine = string.match(entry or '', '^%d+:(%d+):([^:]*):(.*)$')
  if not count or count == '0' then return end
  noteRefused(reason, machine, { count = count ~= '1' and count or nil })
end

-- A refusal is an event at once where it is the user's first of the minute; `refused` counts the others, with the last
-- one's reason and machine. At the end of the minute, or at the next refusal, they become one more event.
local function noteDenial(reason)
  local entry = redis.call('HGET', refusedKey, order.user)
  local minute, count = string.match(entry or '', '^(%d+):(%d+):')
  count = tonumber(count or 0) + 1
  if tonumber(minute or 0) ~= math.floor(now / 60000) then
    noteRefusals(entry)
    noteRefused(reason, order.machineId, { node = order.nodeId })
    count = 0
    dueBy(nextMinute())
  end
  entry = table.concat({ text(math.floor(now / 60000)), text(count), reason, order.machineId }, ':')
  redis.call('HSET', refusedKey, order.user, entry)
end

-- The programs that hold a session together, by node: their connections. Remembered, as an end deletes them.
local function sharersByNode(holder)
  if holder.byNode then return holder.byNode end
  holder.byNode = {}
  for _, value in ipairs(redis.call('HVALS', sharersKey)) do
    local sharer = cjson.decode(value)
    local there = holder.byNode[sharer.nodeId] or {}
    there[#there + 1] = sharer.connection
    holder.byNode[sharer.nodeId] = there
  end
  return holder.byNode
end

-- The session ends for all who hold it: whoever claims the seat next begins alone.
local function dissolve(holder)
  if not holder or not holder.shared then return end
  sharersByNode(holder)
  redis.call('DEL', sharersKey)
end

-- Promise 4: one message to the one node that serves the loser; where several programs share the session, to each of their
-- nodes. `by` is the winner's machine as JSON, if there is one.
local function notify(holder, notice, by)
  notice.type = notice.type or 'ended'
  notice.org = order.org
  notice.user = order.user
  notice.at = text(now)
  notice.sessionId = holder.sessionId
  notice.epoch = text(holder.epoch)
  notice.connection = holder.connection
  notice.trace = order.trace
  local byNode = holder.shared and sharersByNode(holder) or {}
  if not next(byNode) then byNode = { [holder.nodeId] = false } end
  for nodeId, connections in pairs(byNode) do
    notice.connections = connections or nil
    local message = cjson.encode(notice)
    if by then message = string.sub(message, 1, -2) .. ',"by":' .. by .. '}' end
    redis.call('PUBLISH', order.channelPrefix .. nodeId, message)
  end
end

-- A question to the holder of a seat; nil where there is none.
local function readAsk()
  local value = redis.call('GET', askKey)
  return value and cjson.decode(value) or nil
end

-- Tells the nodes of those who wait that the seat is free. A hint: who waits may have gone.
local function tellWaiters()
  local waiting = redis.call('HGETALL', waitersKey)
  for i = 1, #waiting, 2 do
    local notice = { type = 'seat_free', org = order.org, user = order.user, connection = waiting[i] }
    local nodeId = string.match(waiting[i + 1], '^%d+:(.*)$')
    redis.call('PUBLISH', order.channelPrefix .. nodeId, cjson.encode(notice))
  end
end

-- The counters and users of an hour and the users of a day are kept for 400 days, those of a quarter of an hour for 40.
local function keepUsage()
  for _, key in ipairs({ usageKey, usersOfHourKey, usersKey }) do redis.call('PEXPIRE', key, 34560000000) end
  for _, key in ipairs({ usageOfQuarterKey, usersOfQuarterKey }) do redis.call('PEXPIRE', key, 3456000000) end
end

-- So many more in the counters of the org, of this hour and of this quarter of it. A field that is new in the quarter may
-- be the first of it, or of the hour.
local function countUsage(field, more)
  local by = text(more)
  redis.call('HINCRBY', usageKey, field, by)
  if redis.call('HINCRBY', usageOfQuarterKey, field, by) == more then keepUsage() end
end

local function count(field, more)
  more = more or 1
  redis.call('HINCRBY', countersKey, field, text(more))
  countUsage(field, more)
end

-- Adds the time that `seats` have been in use, which is since their number last changed.
local function accountTime(seats)
  local since = tonumber(redis.call('HGET', countersKey, 'seatAt') or now)
  local seatMs = (now - since) * seats
  if seatMs > 0 then count('seatMs', seatMs) end
  redis.call('HSET', countersKey, 'seatAt', text(now))
end

-- What is no peak of the quarter is none of the hour, and none of all time: mostly one look is enough.
local function notePeak(seats)
  for _, hash in ipairs({ usageOfQuarterKey, usageKey, countersKey }) do
    local before = tonumber(redis.call('HGET', hash, 'peak') or '0')
    if seats <= before then return end
    if redis.call('HSET', hash, 'peak', seats, 'peakAt', text(now)) > 0 and hash ~= countersKey then keepUsage() end
    if hash == countersKey then addTotal('peak', seats - before) end
  end
end

-- Puts the user among the active, or moves the lease's end, and keeps a copy of the lease that does not run out: the
-- event of its end names the session. Tells whether the user is new there.
local function enterActive(value)
  redis.call('HSET', heldKey, order.user, value)
  if redis.call('ZADD', activeKey, text(now + order.ttlMs), order.user) == 0 then return false end
  -- Promise 7: somebody looks when the lease ends, though its node may be gone by then. While anybody is active, look.lua
  -- keeps the org due.
  dueBy(math.min(now + order.ttlMs, nextMinute()))
  addTotal('active', 1)
  local seats = redis.call('ZCARD', activeKey)
  accountTime(seats - 1)
  notePeak(seats)
  return true
end

local function noteSession(holder, reason, actor)
  local client = holder.client or {}
  local line = {
    'sessionId', holder.sessionId, 'since', text(holder.since), 'machine', holder.machine.id, 'reason', reason,
  }
  add(line, 'name', holder.machine.name)
  add(line, 'client', client.name)
  add(line, 'version', client.version)
  add(line, 'address', holder.address)
  add(line, 'actor', type(actor) == 'table' and actor.name or actor)
  noteHistory(line)
end

-- What ends most sessions raises three counters of the org: with two commands, as each takes time of every takeover.
local function countTakeover()
  local was = redis.call('HMGET', countersKey, 'ended:taken_over', 'written:ended', 'summed:takeovers')
  redis.call('HSET', countersKey, 'ended:taken_over', text((was[1] or 0) + 1),
    'written:ended', text((was[2] or 0) + 1), 'summed:takeovers', text((was[3] or 0) + 1))
  redis.call('HINCRBY', totalsKey, 'takeovers', 1)
  if not was[3] then settleFirst() end
  countUsage('ended:taken_over', 1)
end

-- Promise 13: the one place where an end is counted, and its event written. `holder` is the lease that ends; nil where
-- a node of version 0.1 had it and nobody knows. `event` is what else the event tells, a table of the caller's for this.
local function noteEnd(holder, reason, event)
  if reason == 'taken_over' then
    countTakeover()
  else
    count('ended:' .. reason)
    redis.call('HINCRBY', countersKey, 'written:ended', 1)
  end
  event.reason = reason
  if holder then
    event.sessionId, event.epoch = holder.sessionId, text(holder.epoch)
    event.machine, event.node = holder.machine.id, holder.nodeId
    noteSession(holder, reason, event.actor)
  end
  note('session.ended', event)
end

-- Takes the seat from its holder: counters, event and the time of the last use (promise 9).
local function endSeat(holder, reason)
  if not holder then
    local value = redis.call('HGET', heldKey, order.user)
    holder = value and readLease(value) or nil
  end
  accountTime(redis.call('ZCARD', activeKey))
  dissolve(holder)
  -- A node of an older version leaves the sharers behind.
  redis.call('DEL', leaseKey, sharersKey)
  if redis.call('ZREM', activeKey, order.user) == 1 then addTotal('active', -1) end
  redis.call('HDEL', heldKey, order.user)
  if holder and holder.idle then redis.call('ZREM', idleKey, order.user) end
  redis.call('ZADD', usedKey, 'XX', text(now), order.user)
  -- Whoever is on leave cannot be told: the ticket is good until its end.
  local ticketEnd = reason ~= 'expired' and holder and holder.leave
  if ticketEnd then keepTicket(order.user, ticketEnd) end
  noteEnd(holder, reason, {
    actor = order.actor, note = order.note, ticketEndsAt = ticketEnd and text(ticketEnd) or nil,
  })
  tellWaiters()
end

-- A session whose lease has run out and that nobody swept ends here, while its user still has this name.
local function endUnswept()
  if redis.call('EXISTS', leaseKey) == 1 or not redis.call('ZSCORE', activeKey, order.user) then return end
  local actor = order.actor
  order.actor = 'broker'
  endSeat(nil, 'expired')
  order.actor = actor
end

-- Until when the user is on leave, where nobody has said that it is to end all the same; nil otherwise.
local function onLeave()
  local value = not order.forced and redis.call('GET', leaseKey)
  local leave = value and readLease(value).leave
  return leave and text(leave) or nil
end

-- Ends the session that has the seat, if there is one, and leaves a tombstone: an epoch above the session's, so that
-- no node brings back what it may still hold. The holder's node is told.
local function evictHolder(reason)
  local value = redis.call('GET', leaseKey)
  local holder = value and readLease(value)
  local tombstone = nextEpoch(holder and holder.epoch)
  raiseFence(tombstone, reason, holder and holder.leave)
  if not holder then return nil end
  endSeat(holder, reason)
  notify(holder, { reason = reason, byEpoch = text(tombstone) })
  return holder, tombstone
end

-- Whether one more license fits into the org's quota; without a quota, any number does.
local function hasQuotaLeft()
  local quota = redis.call('HGET', settingsKey, 'quota')
  return not quota or redis.call('ZCARD', licensedKey) + placesKept(licensedKey, order.user) < tonumber(quota)
end

local function issueLicense(id)
  redis.call('HDEL', licenseKey, 'expiresAt', 'expiresOn', 'note', 'kind', 'startsAt', 'graceMs', 'idleExempt')
  redis.call('HSET', licenseKey, 'id', id, 'status', 'active', 'issuedAt', text(now))
  redis.call('ZADD', licensedKey, text(now), order.user)
  redis.call('ZADD', usedKey, text(now), order.user)
  noteSpelling(order.user, order.folded)
  addIssued(1)
  redis.call('HINCRBY', countersKey, 'licenseChanges', 1)
  note('license.issued', { license = id, actor = order.actor })
  noteQuota()
end
