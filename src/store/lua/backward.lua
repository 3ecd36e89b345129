-- backward: as page, from the other end: the members of a sorted set that stand before a place, the last one first. Reads only.
--
-- MORE  the sorted set
-- ARGV  count (the most members to give), score?, member? (the place; without one the page begins at the last member)
-- Reply array: member, score, member, score, … from the last to the first

local index = moreKeys()[1]
local count, score, member = tonumber(ARGV[1]), ARGV[2], ARGV[3]

-- How many members stand before the place.
local before = redis.call('ZCARD', index)
if score then
  before = redis.call('ZCOUNT', index, '-inf', '(' .. score)
  local most = before + redis.call('ZCOUNT', index, score, score)
  while before < most do
    local middle = math.floor((before + most) / 2)
    local found = redis.call('ZRANGE', index, middle, middle)[1]
    if isBefore(found, member) then before = middle + 1 else most = middle end
  end
end
if before == 0 then return {} end
local card = redis.call('ZCARD', index)
return redis.call('ZREVRANGE', index, card - before, card - before + count - 1, 'WITHSCORES')
