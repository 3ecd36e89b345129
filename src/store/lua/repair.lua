-- repair: sets counters to what a recount found, unless they have changed since it began.
--
-- KEYS  counters, events, active, settings, due, totals, shares
-- ARGV  JSON: org, was {field: text}, set {field: text}, actor, eventsKept
-- Reply 1 repaired, 0 the counters have changed meanwhile: count again

local events
counters, events, active, settings, due, totals, shares = unpack(KEYS)
local order = cjson.decode(ARGV[1])
org = order.org
for name, value in pairs(order.was) do
  if (redis.call('HGET', counters, name) or '0') ~= value then return 0 end
end
local flat = { 'at', text(now), 'type', 'counters_repaired', 'actor', order.actor }
for name, value in pairs(order.set) do
  redis.call('HSET', counters, name, value)
  flat[#flat + 1] = name
  flat[#flat + 1] = value
end
settle()
redis.call('XADD', events, 'MAXLEN', '~', order.eventsKept, '*', unpack(flat))
return 1
