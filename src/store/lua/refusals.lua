-- refusals: makes one event of a user's refusals, once their minute is over. Safe to run from any number of nodes at once.
--
-- ARGV  JSON: org, user, eventsKept
-- Reply 1 done, 0 there are none, or their minute goes on

local entry = redis.call('HGET', refusedKey, order.user)
if not entry or tonumber(string.match(entry, '^%d+')) == math.floor(now / 60000) then return 0 end
writeAtMaxmemory()
redis.call('HDEL', refusedKey, order.user)
noteRefusals(entry)
return 1
