-- reassert: after Redis lost its data, puts a lease back that its node still holds; the highest epoch wins
-- (promise 8). Refused where the fence is above the epoch: the session was ended, or another granted since; and where
-- the license, or a hold, keeps the user out by now.
--
-- KEYS  those of seat.lua
-- ARGV  JSON: org, user, sessionId, epoch, nodeId, since, machine (JSON text), ttlMs, eventsKept, channelPrefix
-- Reply JSON: outcome kept | reasserted | lost, then with reason, byEpoch and the lease that stands there, if any

local mine = cjson.decode(ARGV[1])
local epoch = tonumber(mine.epoch)

local value = redis.call('GET', lease)
local holder = value and readLease(value)
local fenceEpoch, fenceReason = readFence()
local status, holdUntil = unpack(redis.call('HMGET', licenseKey, 'status', 'holdUntil'))
local barred = status and status ~= 'active' and 'license_' .. status
  or holdUntil and tonumber(holdUntil) > now and 'evicted_by_admin'
local mayHold = fenceEpoch <= epoch and (not holder or holder.epoch <= epoch) and not barred
if not mayHold then
  return cjson.encode({
    outcome = 'lost', now = text(now), lease = value or nil, byEpoch = text(fenceEpoch),
    reason = fenceEpoch > epoch and fenceReason or barred or 'taken_over',
  })
end

writeAtMaxmemory()
local isHeld = holder and holder.sessionId == mine.sessionId and holder.epoch == epoch
local restored = leaseValue(mine.sessionId, epoch, mine.nodeId, tonumber(mine.since), mine.machine)
redis.call('SET', lease, restored, 'PX', mine.ttlMs)
raiseFence(epoch, 'taken_over')
redis.call('SET', epochKey, text(math.max(epoch, tonumber(redis.call('GET', epochKey) or '0'))))
local isNew = enterActive(mine)
if isHeld then return cjson.encode({ outcome = 'kept', now = text(now) }) end

if holder then
  count('ended:lease_lost')
  notify(mine, holder, { reason = 'taken_over', byEpoch = text(epoch) }, mine.machine)
end
if isNew or holder then count('reasserted') end
appendEvent(mine, {
  type = 'reasserted', actor = 'broker', sessionId = mine.sessionId, epoch = text(epoch), node = mine.nodeId,
})
return cjson.encode({ outcome = 'reasserted', now = text(now) })
