-- revoke: takes the license back for good and frees its place in the quota, unless a ticket keeps it; a live session ends at once. The record
-- stays, so that mode `auto` issues no other by itself.
--
-- ARGV  JSON: org, user, note?, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the license and the session ended | refused, with reason not_found | wrong_status

if not status then return refuse('not_found') end
if status == 'revoked' then return refuse('wrong_status') end
local away = refuseOnLeave()
if away then return away end
writeAtMaxmemory()
setStatus('revoked')
keepNote()
redis.call('ZREM', licensedKey, order.user)
redis.call('ZREM', usedKey, order.user)
redis.call('ZREM', expiringKey, order.user)
redis.call('ZREM', remindersKey, order.user)
redis.call('ZADD', revokedKey, text(now), order.user)
addIssued(-1)
noteLicense('license.revoked')
local ended = evictHolder('license_revoked')
noteQuota()
return done(ended)
