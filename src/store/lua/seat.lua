-- Stands before every script about one user's seat: names its keys, and holds the steps that several scripts share.

local lease, epochKey, active, licenseKey, licensed, counters, events, machines, machineNotes, settings, fence,
  takeovers, used, usage, users = unpack(KEYS)

-- An order that lay in a buffer, as of a Redis that was frozen, may come when whoever sent it has long been told that it
-- failed. ARGV[2], Redis ms, is when that was. The node may have had a wrong idea of the time: it learns it here.
if ARGV[2] and nowMs() > tonumber(ARGV[2]) then return redis.error_reply('LATE ' .. text(nowMs())) end

-- At maxmemory Redis refuses the first write of a script where it may take memory, and lets a script finish that has
-- written. This writes nothing: for what ends or keeps a session, which must go on when new ones cannot be had.
local function writeAtMaxmemory()
  redis.call('HDEL', counters, '')
end

-- Promise 8: epoch = max(stored + 1, TIME, floor + 1), so that not even FLUSHALL reuses one. TIME in microseconds:
-- a rush of claims would outrun milliseconds, and who comes after a FLUSHALL would get an epoch given before.
local function nextEpoch(floor)
  local time = redis.call('TIME')
  local epoch = math.max(tonumber(redis.call('GET', epochKey) or '0') + 1, time[1] * 1000000 + time[2], floor + 1)
  redis.call('SET', epochKey, text(epoch))
  return epoch
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

local function appendEvent(order, now, fields)
  local flat = { 'at', text(now), 'user', order.user }
  for name, value in pairs(fields) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('XADD', events, 'MAXLEN', '~', order.eventsKept, '*', unpack(flat))
end

-- Promise 4: one message to the one node that serves the loser.
local function notify(order, now, holder, notice)
  notice.type = notice.type or 'ended'
  notice.org = order.org
  notice.user = order.user
  notice.at = text(now)
  notice.sessionId = holder.sessionId
  notice.epoch = text(holder.epoch)
  redis.call('PUBLISH', order.channelPrefix .. holder.nodeId, cjson.encode(notice))
end

-- One more in the counters of the org and of this hour, which are kept for 400 days.
local USAGE_MS = 34560000000
local function count(field)
  redis.call('HINCRBY', counters, field, 1)
  redis.call('HINCRBY', usage, field, 1)
  redis.call('PEXPIRE', usage, USAGE_MS)
end

-- Adds the time that the present seats have been in use since the last change of their number.
local function accountTime(now)
  local since = tonumber(redis.call('HGET', counters, 'seatAt') or now)
  local seatMs = (now - since) * redis.call('ZCARD', active)
  if seatMs > 0 then
    redis.call('HINCRBY', counters, 'seatMs', text(seatMs))
    redis.call('HINCRBY', usage, 'seatMs', text(seatMs))
    redis.call('PEXPIRE', usage, USAGE_MS)
  end
  redis.call('HSET', counters, 'seatAt', text(now))
end

local function notePeak(now)
  local size = redis.call('ZCARD', active)
  for _, hash in ipairs({ counters, usage }) do
    if size > tonumber(redis.call('HGET', hash, 'peak') or '0') then
      redis.call('HSET', hash, 'peak', size, 'peakAt', text(now))
    end
  end
end

-- Puts the user among the active, or moves the lease's end. Tells whether the user is new there.
local function enterActive(order, now)
  local leaseEnd = text(now + order.ttlMs)
  if redis.call('ZSCORE', active, order.user) then
    redis.call('ZADD', active, leaseEnd, order.user)
    return false
  end
  accountTime(now)
  redis.call('ZADD', active, leaseEnd, order.user)
  notePeak(now)
  return true
end

-- Takes the seat from its holder: counters, event and the time of the last use (promise 9).
local function endSeat(order, now, holder, reason)
  accountTime(now)
  redis.call('DEL', lease)
  redis.call('ZREM', active, order.user)
  redis.call('ZADD', used, 'XX', text(now), order.user)
  count('ended:' .. reason)
  appendEvent(order, now, {
    type = 'ended', reason = reason, actor = order.actor, note = order.note,
    sessionId = holder and holder.sessionId, epoch = holder and text(holder.epoch),
    machine = holder and holder.machine.id, node = holder and holder.nodeId,
  })
end

-- Ends the session that has the seat, if there is one, and leaves a tombstone: an epoch above the session's, so that
-- no node brings back what it may still hold. The holder's node is told.
local function evictHolder(order, now, reason)
  local value = redis.call('GET', lease)
  local holder = value and readLease(value)
  local tombstone = nextEpoch(holder and holder.epoch or 0)
  raiseFence(tombstone, reason)
  if not holder then return nil end
  endSeat(order, now, holder, reason)
  notify(order, now, holder, { reason = reason, byEpoch = text(tombstone) })
  return holder
end

-- Whether one more license fits into the org's quota; without a quota, any number does.
local function hasQuotaLeft()
  local quota = redis.call('HGET', settings, 'quota')
  return not quota or redis.call('ZCARD', licensed) < tonumber(quota)
end

local function issueLicense(order, now, id)
  redis.call('HDEL', licenseKey, 'expiresAt', 'note')
  redis.call('HSET', licenseKey, 'id', id, 'status', 'active', 'issuedAt', text(now))
  redis.call('ZADD', licensed, text(now), order.user)
  redis.call('ZADD', used, text(now), order.user)
  redis.call('HINCRBY', counters, 'issued', 1)
  redis.call('HINCRBY', counters, 'licenseChanges', 1)
  appendEvent(order, now, { type = 'issued', license = id, actor = order.actor })
end
