-- suspension: keeps all of an org out, or lets it in again. Licenses are not touched. The sessions end in batches, as look.lua
-- names them.
--
-- ARGV  JSON: org, on (true | false), note?, actor
-- Reply JSON: outcome done, with the number of sessions that are to end | refused, with reason wrong_status

local order = cjson.decode(ARGV[1])
org = order.org
local isOn = redis.call('HEXISTS', settingsKey, 'suspended') == 1
if isOn == order.on then return cjson.encode({ outcome = 'refused', reason = 'wrong_status' }) end
-- This writes nothing: at maxmemory Redis lets a script finish that has written.
redis.call('HDEL', settingsKey, '')
if order.on then
  redis.call('HSET', settingsKey, 'suspended', text(now))
else
  redis.call('HDEL', settingsKey, 'suspended')
end
settle()
emit(order.on and 'org.suspended' or 'org.reinstated', { actor = order.actor, note = order.note })
local sessions = order.on and redis.call('ZCARD', activeKey) or 0
if sessions > 0 then dueBy(now) end
return cjson.encode({ outcome = 'done', sessions = sessions })
