-- sweep: takes sessions whose lease has run out of the counts (promise 7). Safe to run from any number of
-- nodes at once: each expiry is counted by the one script that removes it.
--
-- KEYS  active, counters, events, then the lease of each user
-- ARGV  eventsKept, then the users
-- Reply how many were swept

local active, counters, events = KEYS[1], KEYS[2], KEYS[3]
local now = nowMs()
local swept = 0
for i = 2, #ARGV do
  local user = ARGV[i]
  local leaseEnd = redis.call('ZSCORE', active, user)
  local leftMs = redis.call('PTTL', KEYS[i + 2])
  -- With 0 ms left the lease still stands, and a renewal may yet keep it.
  if leaseEnd and leftMs >= 0 then
    redis.call('ZADD', active, text(now + leftMs), user)
  elseif leaseEnd then
    redis.call('ZREM', active, user)
    redis.call('HINCRBY', counters, 'ended:expired', 1)
    appendEvent(events, ARGV[1], now, { type = 'ended', reason = 'expired', user = user })
    swept = swept + 1
  end
end
return swept
