-- reassert: after Redis lost its data, puts a lease back that its node still holds, under a new epoch and with the rank
-- it had; the highest rank wins (promise 8). Refused where the fence is above the rank: the session was ended, or
-- another granted since; and where the license, or a hold, keeps the user out by now.
--
-- ARGV  JSON: org, user, sessionId, epoch, rank, connection, instance?, attempt?, client? (JSON text), address?, iat?, jti?,
--       idle?, asks?, nodeId,
--       since, machine (JSON text), machineId, ttlMs, eventsKept, channelPrefix, floor, view
-- Reply JSON: outcome kept | reasserted, with epoch and rank | lost, then with reason, byEpoch and the lease that
--       stands there, if any

local rules = redis.call('HMGET', settingsKey, 'addresses', 'suspended', 'revocations')
local mine = {
  sessionId = order.sessionId, epoch = tonumber(order.epoch), rank = tonumber(order.rank), nodeId = order.nodeId,
  connection = order.connection, instance = order.instance, attempt = tonumber(order.attempt),
  since = tonumber(order.since), machine = order.machine, client = order.client,
  address = rules[1] == 'keep' and order.address or nil, iat = order.iat, jti = order.jti, idle = order.idle, asks = order.asks,
}

local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
local isTogether = holder and holder.sessionId == mine.sessionId and holder.rank >= mine.rank and mine.instance
  and holder.instance and (holder.shared or holder.instance ~= mine.instance)
local own = isTogether and sharing.find(holder, mine.instance)
-- A newer connection of this program is here.
local isOutdone = own and own.connection ~= mine.connection and tonumber(own.attempt or 0) >= (mine.attempt or 0)
local isHeld = holder and not isTogether and isGrant(holder, mine.sessionId, mine.epoch, mine.nodeId, mine.connection)
local fenceRank, fenceReason = readFence()
local status, holdUntil = unpack(redis.call('HMGET', licenseKey, 'status', 'holdUntil'))
local barred = status and status ~= 'active' and 'license_' .. status
  or holdUntil and tonumber(holdUntil) > now and 'evicted_by_admin'
  or rules[2] and 'org_suspended'
  or rules[3] and isTokenRevoked(order.user, order) and 'token_revoked'
-- The fence of a session that is shared is that of its newest act.
local mayHold = fenceRank <= (isTogether and holder.rank or mine.rank) and (not holder or isHeld or isTogether or givesWay(holder, mine)) and not barred
if mayHold and isTogether and not isOutdone and (own or sharing.hasRoom(holder)) then
  writeAtMaxmemory()
  sharing.join(holder, own)
  return encode({ outcome = 'kept', epoch = text(holder.epoch), rank = text(holder.rank) })
end
if not mayHold or isTogether then
  return encode({
    outcome = 'lost', lease = value or nil, byEpoch = text(fenceRank),
    reason = fenceRank > mine.rank and fenceReason or barred or isTogether and 'superseded' or 'taken_over',
  })
end

writeAtMaxmemory()
if isHeld and holder.epoch >= readReign().first then
  mine.epoch = holder.epoch
else
  mine.epoch = nextEpoch(mine.epoch)
end
if holder then dissolve(holder) else redis.call('DEL', sharersKey) end
local restored = leaseValue(mine)
local unseen = not holder and redis.call('HGET', heldKey, order.user)
redis.call('SET', leaseKey, restored, 'PX', order.ttlMs)
raiseFence(mine.rank, 'taken_over')
local isNew = enterActive(restored)
local reply = { outcome = isHeld and 'kept' or 'reasserted', epoch = text(mine.epoch), rank = text(mine.rank) }
if isHeld then return encode(reply) end

-- Whoever is counted in this place: the holder that gives way, or one whose lease ran out and nobody swept.
local before = not isNew and (holder or unseen and readLease(unseen))
if before and before.sessionId == mine.sessionId then before = nil end
if before then noteEnd(before, holder and 'lease_lost' or 'expired', { actor = 'broker', by = order.machineId }) end
if holder then
  local reason = holder.machine.id == order.machineId and 'superseded' or 'taken_over'
  notify(holder, { reason = reason, byEpoch = text(mine.epoch) }, order.machine)
end
if isNew or before then count('reasserted') end
note('session.reasserted', {
  actor = 'broker', machine = order.machineId,
  sessionId = mine.sessionId, epoch = text(mine.epoch), node = mine.nodeId,
})
return encode(reply)
