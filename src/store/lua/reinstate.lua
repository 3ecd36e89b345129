-- reinstate: gives a suspended license its right back; past its expiry it is expired.
--
-- ARGV  JSON: org, user, note?, actor, eventsKept
-- Reply JSON: outcome done, with the license | refused, with reason not_found | wrong_status

if not status then return refuse('not_found') end
if status ~= 'suspended' then return refuse('wrong_status') end
local last = lastMoment()
setStatus(last and last <= now and 'expired' or 'active')
keepNote()
noteLicense('license.reinstated')
return done()
