-- leave: the user takes the seat along, offline: a long lease of no node, bound to the machine. Its new epoch keeps a renewal
-- that is under way from shortening it.
--
-- ARGV  JSON: user, sessionId, epoch, connection, nodeId, forMs, eventsKept, floor, view
-- Reply JSON: outcome left, with epoch, rank, leaveUntil (Redis ms) and forMs | not_allowed | lost

local LEAST_MS = 1000
local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
if not holder or not isGrant(holder, order.sessionId, tonumber(order.epoch), order.nodeId, order.connection) then
  return encode({ outcome = 'lost' })
end
-- What several hold, one alone does not take along.
if holder.shared then return encode({ outcome = 'not_allowed' }) end
local leaveMaxMs = tonumber(redis.call('HGET', settingsKey, 'leaveMaxMs') or '0')
local expiresAt, graceMs = unpack(redis.call('HMGET', licenseKey, 'expiresAt', 'graceMs'))
local restMs = expiresAt and expiresAt + (graceMs or 0) - now or math.huge
local forMs = math.min(order.forMs, leaveMaxMs, restMs)
-- A shorter one is no leave: it may be over before it is known to be safe.
if forMs < LEAST_MS then return encode({ outcome = 'not_allowed' }) end

if holder.idle then redis.call('ZREM', idleKey, order.user) end
holder.epoch = nextEpoch(holder.epoch)
holder.rank, holder.nodeId, holder.leave = holder.epoch, 'leave', now + forMs
holder.connection, holder.asks, holder.idle = nil, nil, nil
local taken = leaseValue(holder)
redis.call('SET', leaseKey, taken, 'PX', text(forMs))
redis.call('HSET', heldKey, order.user, taken)
redis.call('ZADD', activeKey, text(holder.leave), order.user)
raiseFence(holder.rank, 'taken_over', holder.leave)
redis.call('DEL', askKey)
count('leaves')
note('leave.begun', {
  actor = 'user', machine = holder.machine.id, sessionId = holder.sessionId, epoch = text(holder.epoch),
  leaveUntil = text(holder.leave),
})
return encode({
  outcome = 'left', epoch = text(holder.epoch), rank = text(holder.rank), leaveUntil = text(holder.leave),
  forMs = text(forMs),
})
