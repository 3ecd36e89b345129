-- expiry: sets or clears when a license ends. A time that has passed ends a live session at once; a later one, or
-- none, makes an expired license valid again.
--
-- ARGV  JSON: org, user, expiresAt? (Redis ms; none clears), expiresOn?, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the license and the session ended | refused, with reason not_found | wrong_status

if not status then return refuse('not_found') end
if status == 'revoked' then return refuse('wrong_status') end
local graceMs = tonumber(field('graceMs') or '0')
local isOver = order.expiresAt and tonumber(order.expiresAt) + graceMs <= now
local away = isOver and refuseOnLeave()
if away then return away end
if isOver then writeAtMaxmemory() end
setEnd(order.expiresAt, order.expiresOn)
noteLicense('license.expiry_set', { expiresAt = order.expiresAt })
if status == 'suspended' then return done() end
if not isOver then
  setStatus('active')
  return done()
end
setStatus('expired')
redis.call('ZREM', expiringKey, order.user)
return done(evictHolder('license_expired'))
