-- look: what is to be done about an org by now, and when somebody must look at it next. Also brings its time in use, the
-- peak of this hour and the totals up to date. Safe to run from any number of nodes at once.
--
-- The org stays due while something is left to do: whoever looked may die before it is done. The next time comes from
-- the same step, so that a claim between cannot be missed.
--
-- KEYS  those of seat.lua, for any user, expiring, imports
-- ARGV  JSON: org, batch (users named at most), staleMs, eventsKept, sessionsKeptMs, actsKeptMs (0: for ever)
-- Reply users whose lease has run out, users whose license has ended, imports whose node has been silent for staleMs

local expiring, imports = moreKeys()
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

-- What was refused in a minute that is over.
local refusals = redis.call('HGETALL', refused)
local refusedNow = false
for i = 1, #refusals, 2 do
  local minute = tonumber(string.match(refusals[i + 1], '^%d+'))
  if minute == math.floor(now / 60000) then
    refusedNow = true
  else
    noteRefusals(refusals[i], refusals[i + 1])
    redis.call('HDEL', refused, refusals[i])
  end
end

local function overdueIn(index)
  return redis.call('ZRANGEBYSCORE', index, '-inf', text(now), 'LIMIT', 0, order.batch)
end
local runOut, ended, silent = overdueIn(active), overdueIn(expiring), {}

local next = (seats > 0 or refusedNow) and nextMinute() or math.huge
local function nextFrom(index)
  local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2]
  if first then next = math.min(next, tonumber(first)) end
end
nextFrom(active)
nextFrom(expiring)

-- Promise 14: what is older than it is kept for goes, also where nothing happens any more.
local function keepSince(stream, keptMs)
  if keptMs == 0 then return end
  redis.call('XTRIM', stream, 'MINID', text(math.max(0, now - keptMs)))
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local since = oldest and tonumber(string.match(oldest[1], '^%d+'))
  if since then next = math.min(next, since + keptMs + 1) end
end
keepSince(events, order.sessionsKeptMs)
keepSince(acts, order.actsKeptMs)

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
