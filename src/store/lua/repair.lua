-- repair: sets counters to what a recount found, unless they have changed since it began.
--
-- ARGV  JSON: org, was {field: text}, set {field: text}, actor
-- Reply 1 repaired, 0 the counters have changed meanwhile: count again

local order = cjson.decode(ARGV[1])
org = order.org
for name, value in pairs(order.was) do
  if (redis.call('HGET', countersKey, name) or '0') ~= value then return 0 end
end
local changes = { actor = order.actor }
for name, value in pairs(order.set) do
  redis.call('HSET', countersKey, name, value)
  changes[name] = value
end
settle()
emit('org.counters_repaired', changes)
return 1
