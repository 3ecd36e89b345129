-- terms: changes what goes along with a license: its kind, when it begins, its days of grace, whether an idle limit holds
-- for it. A session that runs goes on; the license is looked at anew at the next claim, and at its end.
--
-- ARGV  JSON: org, user, kind?, startsAt? (Redis ms), graceMs?, idleExempt? ('' takes one away), note?, actor, eventsKept
-- Reply JSON: outcome done, with the license | refused, with reason not_found | wrong_status

if not status then return refuse('not_found') end
if status == 'revoked' then return refuse('wrong_status') end
local changed = setTerms()
if order.note then keepNote() end
if next(changed) or order.note then noteLicense('license.changed', changed) end
local last = changed.graceMs and lastMoment()
if last then
  if status == 'expired' and last > now then setStatus('active') end
  -- The sweep looks at it anew: grace may have begun with this, or ended.
  local dueAt = math.min(last, math.max(now, tonumber(field('expiresAt'))))
  redis.call('ZADD', expiringKey, text(dueAt), order.user)
  dueBy(dueAt)
end
return done()
