-- hold: keeps the user out until a time, or lifts that; a live session goes on. Also of a user without a license.
--
-- ARGV  JSON: org, user, holdMs (0 lifts the hold), note?, actor, eventsKept
-- Reply JSON: outcome done, with holdUntil where the user is held now

local before = tonumber(redis.call('HGET', licenseKey, 'holdUntil') or '0')
if order.holdMs == 0 and before <= now then
  redis.call('HDEL', licenseKey, 'holdUntil')
  return encode({ outcome = 'done' })
end
local holdUntil = text(now + order.holdMs)
if order.holdMs == 0 then
  redis.call('HDEL', licenseKey, 'holdUntil')
else
  redis.call('HSET', licenseKey, 'holdUntil', holdUntil)
end
note('user.held', { actor = order.actor, holdUntil = holdUntil, note = order.note })
return encode({ outcome = 'done', holdUntil = order.holdMs > 0 and holdUntil or nil })
