-- expire: ends a license whose time has come, and its live session. Safe to run from any number of nodes at once.
--
-- ARGV  JSON: org, user, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the license and the session ended | refused, with reason not_found | not_due

writeAtMaxmemory()
local expiresAt = field('expiresAt')
if expiresAt and tonumber(expiresAt) > now then return refuse('not_due') end
redis.call('ZREM', expiringKey, order.user)
redis.call('ZREM', remindersKey, order.user)
if not expiresAt or status ~= 'active' then return refuse(status and 'not_due' or 'not_found') end
setStatus('expired')
noteLicense('license.expired')
return done(evictHolder('license_expired'))
