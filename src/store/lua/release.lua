-- release: gives the seat back, only where it still holds this session and epoch (promise 1): a late release
-- of a loser does not free the winner's seat. The fence goes up, so that nothing re-asserts over it.
--
-- KEYS  lease, epoch, active, counters, events, fence
-- ARGV  user, fence "<sessionId>:<epoch>:", eventsKept
-- Reply 1 released, 0 somebody else's or nobody's

local lease, epochKey, active, counters, events, fence = unpack(KEYS)
local user, held, eventsKept = unpack(ARGV)
local value = redis.call('GET', lease)
if not value or string.sub(value, 1, #held) ~= held then return 0 end

local now = nowMs()
local holder = readLease(value)
redis.call('DEL', lease)
raiseFence(fence, nextEpoch(epochKey, holder.epoch), 'released')
redis.call('ZREM', active, user)
redis.call('HINCRBY', counters, 'ended:released', 1)
appendEvent(events, eventsKept, now, {
  type = 'ended', reason = 'released', user = user, sessionId = holder.sessionId, epoch = text(holder.epoch),
})
return 1
