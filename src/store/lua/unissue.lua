-- unissue: takes back what a failed import issued, as if it had never been: a license that had been revoked before is
-- a revoked one again. What was transferred or revoked since is left alone.
--
-- ARGV  JSON: org, user, import, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done | refused, with reason not_found (not of this import)

if not status or status == 'revoked' or field('import') ~= order.import then return refuse('not_found') end
local away = refuseOnLeave()
if away then return away end
writeAtMaxmemory()
noteLicense('license.unissued')
local ended = evictHolder('license_revoked')
setStatus('revoked')
local before = field('before')
redis.call('HDEL', licenseKey, 'id', 'status', 'issuedAt', 'note', 'import', 'before', unpack(TERMS))
if before then restoreRevoked(before) end
for _, index in ipairs({ licensedKey, usedKey, expiringKey, remindersKey }) do redis.call('ZREM', index, order.user) end
addIssued(-1)
noteQuota()
return done(ended)
