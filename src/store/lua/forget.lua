-- forget: takes away all that names a user: license, seat, machines, history, spelling, and the name behind the key by which
-- the past tells of them. The past itself stays, of somebody without a name. A license that is forgotten frees its place, also where a ticket would keep it.
--
-- ARGV  JSON: org, user, folded?, note?, forced?, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the session ended | refused, with reason not_found | on_leave, with leaveUntil

local own = { licenseKey, machinesKey, machineNotesKey, machineDoublesKey, historyKey }
local known = redis.call('EXISTS', leaseKey, unpack(own)) > 0 or redis.call('HEXISTS', aliasesKey, order.user) == 1
if not known then return refuse('not_found') end

local away = refuseOnLeave()
if away then return away end
writeAtMaxmemory()
endUnswept()
local ended = evictHolder('license_revoked')
if status then
  if status ~= 'revoked' then
    setStatus('revoked')
    addIssued(-1)
    noteQuota()
  end
  redis.call('HINCRBY', countersKey, 'licenseChanges', 1)
end
note('user.forgotten', { actor = order.actor, note = order.note })
for _, index in ipairs({ licensedKey, usedKey, expiringKey, remindersKey, revokedKey, ticketsKey }) do
  redis.call('ZREM', index, order.user)
end
redis.call('HDEL', refusedKey, order.user)
redis.call('HDEL', namesKey, redis.call('HGET', aliasesKey, order.user))
redis.call('HDEL', aliasesKey, order.user)
local folded = order.folded or order.user
if redis.call('HGET', spellingsKey, folded) == order.user then redis.call('HDEL', spellingsKey, folded) end
redis.call('DEL', takeoversKey, claimsKey, renamedKey, waitersKey, askKey, boundKey, sharersKey, unpack(own))
return encode({ outcome = 'done', ended = ended and ended.sessionId or nil })
