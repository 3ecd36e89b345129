-- release: gives the seat back, only where it still holds this session and epoch (promise 1): a late release
-- of a loser does not free the winner's seat. The fence goes up, so that nothing re-asserts over it.
--
-- KEYS  those of seat.lua
-- ARGV  JSON: user, held "<sessionId>:<epoch>:", eventsKept
-- Reply 1 released, 0 somebody else's or nobody's

local order = cjson.decode(ARGV[1])
local value = redis.call('GET', lease)
if not value then
  -- Redis has lost the lease: a re-assertion that is under way must not put it back.
  writeAtMaxmemory()
  barReturn(tonumber(string.match(order.held, ':(%d+):$')), 'released')
  return 0
end
if string.sub(value, 1, #order.held) ~= order.held then return 0 end

writeAtMaxmemory()
order.actor = 'user'
local holder = readLease(value)
raiseFence(nextEpoch(holder.epoch), 'released')
endSeat(order, holder, 'released')
return 1
