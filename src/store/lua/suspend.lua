-- suspend: takes the right to a session away for a while. The license stays issued; a live session ends at once.
--
-- ARGV  JSON: org, user, note?, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the license and the session ended | refused, with reason not_found | wrong_status

if not status then return refuse('not_found') end
if status ~= 'active' and status ~= 'expired' then return refuse('wrong_status') end
local away = refuseOnLeave()
if away then return away end
writeAtMaxmemory()
setStatus('suspended')
keepNote()
noteLicense('license.suspended')
return done(evictHolder('license_suspended'))
