-- sweep: takes a session whose lease has run out out of the counts (promise 7). Safe to run from any number of
-- nodes at once: an expiry is counted by the one script that removes it.
--
-- ARGV  JSON: user, eventsKept
-- Reply 1 swept, 0 the lease stands, or somebody else swept

if not redis.call('ZSCORE', activeKey, order.user) then return 0 end
writeAtMaxmemory()
local leftMs = redis.call('PTTL', leaseKey)
-- With 0 ms left the lease still stands, and a renewal may yet keep it.
if leftMs >= 0 then
  redis.call('ZADD', activeKey, text(now + leftMs), order.user)
  return 0
end
order.actor = 'broker'
endSeat(nil, 'expired')
return 1
