-- unshare: takes a program out of a session that several hold, after its connection was lost for a TTL. Where the session is
-- its alone by now, its lease ends as ever.
--
-- ARGV  JSON: user, sessionId, connection, instance, nodeId, eventsKept, floor, view
-- Reply 1 taken out, 0 it holds the session no more, or alone

local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
if not holder or holder.sessionId ~= order.sessionId then return 0 end
writeAtMaxmemory()
local left = sharing.takeOut(holder, 'lost')
return left and left > 0 and 1 or 0
