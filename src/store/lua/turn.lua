-- turn: lets one node at a time deliver webhooks. It keeps its turn as long as it asks again in time.
--
-- ARGV  nodeId, ms
-- Reply 1 it is this node's turn for so long, 0 it is another's

local holder = redis.call('GET', outboxTurnKey)
if holder and holder ~= ARGV[1] then return 0 end
-- At maxmemory too: what waits to be delivered may be what fills Redis. See writeAtMaxmemory in seat.lua.
redis.call('DEL', outboxTurnKey)
redis.call('SET', outboxTurnKey, ARGV[1], 'PX', ARGV[2])
return 1
