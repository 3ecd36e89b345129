-- look: what is to be done about an org by now, and when somebody must look at it next. Also brings its time in use, the
-- peak of this hour and the totals up to date. Safe to run from any number of nodes at once.
--
-- The org stays due while something is left to do: whoever looked may die before it is done. The next time comes from
-- the same step, so that a claim between cannot be missed.
--
-- KEYS  those of seat.lua, for any user, expiring, imports
-- ARGV  JSON: org, batch (users named at most), staleMs, eventsKept
-- Reply users whose lease has run out, users whose license has ended, imports whose node has been silent for staleMs

local expiring, imports = KEYS[21], KEYS[22]
local RETRY_MS = 500

-- This writes nothing: see writeAtMaxmemory in seat.lua. The rest may fail at a broken record, and then the org must not
-- stand before all others for ever.
redis.call('ZREM', due, '')
redis.call('ZADD', due, 'XX', text(now + RETRY_MS), org)

local seats = redis.call('ZCARD', active)
if seats > 0 then
  accountTime(seats)
  notePeak(seats)
end
settle()

local function overdueIn(index)
  return redis.call('ZRANGEBYSCORE', index, '-inf', text(now), 'LIMIT', 0, order.batch)
end
local runOut, ended, silent = overdueIn(active), overdueIn(expiring), {}

local next = seats > 0 and nextMinute() or math.huge
local function nextFrom(index)
  local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2]
  if first then next = math.min(next, tonumber(first)) end
end
nextFrom(active)
nextFrom(expiring)

local journal = redis.call('HGETALL', imports)
for i = 1, #journal, 2 do
  local beat = string.match(journal[i + 1], '^%a+:(%d+):%d+$')
  local staleAt = beat and tonumber(beat) + order.staleMs or math.huge
  if staleAt <= now then silent[#silent + 1] = journal[i] else next = math.min(next, staleAt) end
end

if #runOut == 0 and #ended == 0 and #silent == 0 then
  if next == math.huge then
    redis.call('ZREM', due, org)
  else
    redis.call('ZADD', due, text(next), org)
  end
end
return { runOut, ended, silent }
