-- expire: ends a license whose time has come, and its live session; where it has days of grace, tells that they begin. Safe to run from any number of nodes at once.
--
-- ARGV  JSON: org, user, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the license and the session ended | refused, with reason not_found | not_due

writeAtMaxmemory()
local expiresAt, last = field('expiresAt'), lastMoment()
if expiresAt and tonumber(expiresAt) > now then return refuse('not_due') end
redis.call('ZREM', remindersKey, order.user)
if last and last > now then
  -- A suspended license may be reinstated before that.
  if tonumber(redis.call('ZSCORE', expiringKey, order.user) or last) >= last then return refuse('not_due') end
  redis.call('ZADD', expiringKey, text(last), order.user)
  dueBy(last)
  if status == 'active' then noteLicense('license.grace_begun', { graceEndsAt = text(last) }) end
  return done()
end
redis.call('ZREM', expiringKey, order.user)
if not expiresAt or status ~= 'active' then return refuse(status and 'not_due' or 'not_found') end
setStatus('expired')
noteLicense('license.expired')
return done(evictHolder('license_expired'))
