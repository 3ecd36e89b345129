-- settings: changes settings of an org; a quota below what is issued is refused.
--
-- ARGV  JSON: org, set {field: text}, unset [field], actor
-- Reply JSON: outcome done | refused, with reason quota_below_issued and issued

local order = cjson.decode(ARGV[1])
org = order.org
local issued = redis.call('ZCARD', licensedKey)
if order.set.quota and tonumber(order.set.quota) < issued then
  return cjson.encode({ outcome = 'refused', reason = 'quota_below_issued', issued = issued })
end
local changes = { actor = order.actor }
for name, value in pairs(order.set) do
  redis.call('HSET', settingsKey, name, value)
  changes[name] = value
end
for _, name in ipairs(order.unset) do
  redis.call('HDEL', settingsKey, name)
  changes[name] = ''
end
settle()
emit('org.changed', changes)
noteQuota()
return cjson.encode({ outcome = 'done' })
