-- evict: ends the user's session from outside and leaves a tombstone, an epoch above the session's, so that
-- nothing re-asserts over it. Owner, counters, event and notice are one step (promise 9).
--
-- KEYS  lease, epoch, active, counters, events, fence
-- ARGV  JSON: org, user, reason, actor, sessionId? and epoch? (end only this grant), eventsKept, channelPrefix
-- Reply JSON: outcome evicted, with sessionId and epoch | none

local lease, epochKey, active, counters, events, fence = unpack(KEYS)
local order = cjson.decode(ARGV[1])
local value = redis.call('GET', lease)
local holder = value and readLease(value)
local isMeant = holder
  and (not order.sessionId or (order.sessionId == holder.sessionId and tonumber(order.epoch) == holder.epoch))
if not isMeant then return cjson.encode({ outcome = 'none' }) end

local now = nowMs()
local tombstone = nextEpoch(epochKey, holder.epoch)
redis.call('DEL', lease)
raiseFence(fence, tombstone, order.reason)
redis.call('ZREM', active, order.user)
redis.call('HINCRBY', counters, 'ended:' .. order.reason, 1)
appendEvent(events, order.eventsKept, now, {
  type = 'ended', reason = order.reason, actor = order.actor, user = order.user,
  sessionId = holder.sessionId, epoch = text(holder.epoch),
})
notify(order.channelPrefix, holder, {
  org = order.org, user = order.user, reason = order.reason, at = text(now), byEpoch = text(tombstone),
})
return cjson.encode({ outcome = 'evicted', sessionId = holder.sessionId, epoch = text(holder.epoch) })
