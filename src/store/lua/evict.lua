-- evict: ends the user's session from outside and leaves a tombstone, so that nothing re-asserts over it.
-- Owner, counters, event and notice are one step (promise 9). With a hold, the user gets no seat until it ends.
--
-- ARGV  JSON: org, user, reason, actor, note?, sessionId? and epoch? (only if this grant has the seat; any epoch that it
--       has had since its act), holdMs? (0 lifts it), forced?, idleLimitMs? (only if nobody is at work for so long, at
--       whatever program shares the session), eventsKept, channelPrefix, floor, view
-- Reply JSON: outcome on_leave, with leaveUntil (unless forced) | evicted, with sessionId, epoch and byEpoch (the tombstone) |
--       active, with idleMs | none

local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
local named = tonumber(order.epoch)
if order.reason == 'org_suspended' and redis.call('HEXISTS', settingsKey, 'suspended') == 0 then
  return encode({ outcome = 'none' })
end
local isMeant = not order.sessionId
  or holder and order.sessionId == holder.sessionId and holder.rank <= named and named <= holder.epoch
-- Whoever is on leave cannot be told, and holds a ticket: only an order that says so ends that.
local away = holder and isMeant and onLeave()
if away then return encode({ outcome = 'on_leave', leaveUntil = away }) end
writeAtMaxmemory()
if not isMeant then
  -- A node that is cut off, or whose lease Redis has lost, may hold on to what is to end: it must not come back.
  if not holder then barReturn(named, order.reason) end
  return encode({ outcome = 'none' })
end

if order.idleLimitMs and holder.shared then
  local activeAt = tonumber(redis.call('ZSCORE', idleKey, order.user) or now)
  -- A program that does not tell is never idle.
  for _, sharer in ipairs(redis.call('HVALS', sharersKey)) do
    if not cjson.decode(sharer).idle then activeAt = now end
  end
  if now - activeAt < order.idleLimitMs then return encode({ outcome = 'active', idleMs = text(now - activeAt) }) end
end

if order.holdMs then
  local holdUntil = text(now + order.holdMs)
  redis.call('HSET', licenseKey, 'holdUntil', holdUntil)
  note('user.held', {
    actor = order.actor, reason = order.reason, holdUntil = holdUntil, note = order.note,
  })
end

if order.forced then redis.call('DEL', boundKey) end
local _, tombstone = evictHolder(order.reason)
if not holder then return encode({ outcome = 'none' }) end
return encode({ outcome = 'evicted', sessionId = holder.sessionId, epoch = text(holder.epoch), byEpoch = text(tombstone) })
