-- sum: adds up all orgs of a server, or of a slot, and compares with the totals; with `mend` it puts them right.
-- It holds Redis for some µs an org: for an operator who asks, never for a timer.
--
-- MORE  of each org: counters, active, settings
-- ARGV  JSON: orgs (their names), mend
-- Reply JSON: stored {name: number}, counted {name: number}

local more = moreKeys()
local order = cjson.decode(ARGV[1])
local names, stored, counted = totalNames(), {}, {}
local values = redis.call('HMGET', totalsKey, unpack(names))
for i, name in ipairs(names) do
  stored[name], counted[name] = tonumber(values[i] or '0'), 0
end
-- An org in which nothing has begun is in no sum.
local function isSummed(is)
  for name, number in pairs(is) do
    if name ~= 'orgs' and number > 0 then return true end
  end
  return redis.call('HEXISTS', countersKey, 'summed:orgs') == 1
end

for i, name in ipairs(order.orgs) do
  org = name
  countersKey, activeKey, settingsKey = unpack(more, 3 * i - 2, 3 * i)
  local is = standing()
  if isSummed(is) then
    if order.mend then settle() end
    for _, sum in ipairs(names) do counted[sum] = counted[sum] + is[sum] end
  end
end
if order.mend then
  for name, number in pairs(counted) do redis.call('HSET', totalsKey, name, text(number)) end
end
return cjson.encode({ stored = stored, counted = counted })
