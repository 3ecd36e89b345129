-- page: the members of a sorted set that come behind a place, in Redis's own order: by score, then by the bytes of the
-- member. A place is a score and a member; the member may have left the set. Reads only, and all at one moment: a
-- member that leaves while the page is read moves nobody else out of it.
-- The number of steps grows with the logarithm of the number of members that share the score.
--
-- MORE  the sorted set
-- ARGV  count (the most members to give), score?, member? (the place; without one the page begins at the first member)
-- Reply array: member, score, member, score, …

local index = moreKeys()[1]
local count, score, member = ARGV[1], ARGV[2], ARGV[3]

local first = 0
if score then
  first = redis.call('ZCOUNT', index, '-inf', '(' .. score)
  local last = first + redis.call('ZCOUNT', index, score, score)
  while first < last do
    local middle = math.floor((first + last) / 2)
    local found = redis.call('ZRANGE', index, middle, middle)[1]
    if isBefore(member, found) then last = middle else first = middle + 1 end
  end
end
return redis.call('ZRANGE', index, first, first + count - 1, 'WITHSCORES')
