-- remind: tells that a license ends soon, 30, 7 and 1 days before. Safe to run from any number of nodes at once.
--
-- ARGV  JSON: org, user, eventsKept
-- Reply 1 told, or put off to the next time; 0 it is not the time, or somebody else has told

local at = redis.call('ZSCORE', remindersKey, order.user)
if not at or tonumber(at) > now then return 0 end
writeAtMaxmemory()
local expiresAt = tonumber(field('expiresAt') or 0)
local reminder = nextReminder(expiresAt)
if reminder then
  redis.call('ZADD', remindersKey, text(reminder), order.user)
else
  redis.call('ZREM', remindersKey, order.user)
end
-- A suspended license may be reinstated before the next time.
if status == 'active' and expiresAt > now then
  note('license.expires_soon', {
    actor = 'broker', license = field('id'), expiresAt = text(expiresAt),
    days = text(math.ceil((expiresAt - now) / DAY_MS)),
  })
end
return 1
