-- look: what is to be done about an org by now, and when somebody must look at it next. Also brings its time in use, the
-- peak of this hour and the totals up to date. Safe to run from any number of nodes at once.
--
-- The org stays due while something is left to do: whoever looked may die before it is done. The next time comes from
-- the same step, so that a claim between cannot be missed.
--
-- ARGV  JSON: org, batch (users named at most), staleMs, eventsKept, sessionsKeptMs, actsKeptMs (0: for ever), tokenLifeMs
-- Reply users whose lease has run out, users whose license has ended, imports whose node has been silent for staleMs,
--       users whose refusals are to become an event, users to be told that their license ends soon, users to be ended as their org is suspended; then, where there is so much traffic that it is not kept for its time, for how many ms it is

local RETRY_MS = 500
local HOUR_MS = 3600000

-- This writes nothing: see writeAtMaxmemory in seat.lua. The rest may fail at a broken record, and then the org must not
-- stand before all others for ever.
redis.call('ZREM', dueKey, '')
redis.call('ZADD', dueKey, 'XX', text(now + RETRY_MS), org)

local seats = redis.call('ZCARD', activeKey)
if seats > 0 then
  accountTime(seats)
  notePeak(seats)
end
settle()

-- Refusals of a minute that is over are to become events. Some at a time, as Redis does nothing else meanwhile. A page of
-- HSCAN may be empty though others follow: Redis 8 leaves a hash large for longer after most of it was deleted.
local cursor, refusedUsers, refusedNow = '0', {}, false
repeat
  local page = redis.call('HSCAN', refusedKey, cursor, 'COUNT', order.batch)
  cursor = page[1]
  for i = 1, #page[2], 2 do
    if tonumber(string.match(page[2][i + 1], '^%d+')) == math.floor(now / 60000) then
      refusedNow = true
    else
      refusedUsers[#refusedUsers + 1] = page[2][i]
    end
  end
until cursor == '0' or refusedNow or #refusedUsers > 0

-- Licenses of version 0.1 have an end and no reminder: they get theirs with the first look.
if redis.call('HSETNX', countersKey, 'remindersMade', '1') == 1 then
  local ending = redis.call('ZRANGEBYSCORE', expiringKey, '(' .. text(now), '+inf', 'WITHSCORES')
  for i = 1, #ending, 2 do
    local reminder = nextReminder(tonumber(ending[i + 1]))
    if reminder then redis.call('ZADD', remindersKey, 'NX', text(reminder), ending[i]) end
  end
end

local function overdueIn(index)
  return redis.call('ZRANGEBYSCORE', index, '-inf', text(now), 'LIMIT', 0, order.batch)
end
local runOut, ended, silent = overdueIn(activeKey), overdueIn(expiringKey), {}
local reminded = overdueIn(remindersKey)

local isSuspended, hasRevocations = unpack(redis.call('HMGET', settingsKey, 'suspended', 'revocations'))
-- Leaves end with their time: nobody can tell them.
local suspended = isSuspended
  and redis.call('ZRANGEBYSCORE', activeKey, '-inf', text(now + 2 * order.staleMs), 'LIMIT', 0, order.batch) or {}

local next = (seats > 0 or refusedNow) and nextMinute() or math.huge
if cursor ~= '0' then next = now + RETRY_MS end
local function nextFrom(index)
  local first = redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2]
  if first then next = math.min(next, tonumber(first)) end
end
nextFrom(activeKey)
nextFrom(expiringKey)
nextFrom(remindersKey)
if #suspended > 0 then next = math.min(next, now + RETRY_MS) end

-- A revocation is forgotten when the tokens that it is about have ended anyway.
if hasRevocations then
  local areLeft = false
  for _, revoked in ipairs({ usersRevokedKey, tokensRevokedKey }) do
    redis.call('ZREMRANGEBYSCORE', revoked, '-inf', text(now - order.tokenLifeMs))
    local first = redis.call('ZRANGE', revoked, 0, 0, 'WITHSCORES')[2]
    areLeft = areLeft or first ~= nil
    if first then next = math.min(next, tonumber(first) + order.tokenLifeMs) end
  end
  if not areLeft then redis.call('HDEL', settingsKey, 'revocations') end
end

-- Promise 14: removes the events that are older than they are kept for, and has the org looked at again in the hour in
-- which the oldest is to go. Gives the time of the oldest, if there is one.
local function keepSince(stream, keptMs)
  if keptMs > 0 and clockUs > 0 then redis.call('XTRIM', stream, 'MINID', text(math.max(0, now - keptMs))) end
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  local since = oldest and tonumber(string.match(oldest[1], '^%d+'))
  if since and keptMs > 0 then next = math.min(next, (math.floor((since + keptMs) / HOUR_MS) + 1) * HOUR_MS) end
  return since
end
local trafficSince = keepSince(eventsKey, order.sessionsKeptMs)
keepSince(actsKey, order.actsKeptMs)
-- For the metrics, which read this hash anyway.
if trafficSince or redis.call('HEXISTS', countersKey, 'trafficSince') == 1 then
  redis.call('HSET', countersKey, 'trafficSince', text(trafficSince or 0))
end
local isCut = trafficSince and redis.call('XLEN', eventsKey) >= order.eventsKept

local journal = redis.call('HGETALL', importsKey)
for i = 1, #journal, 2 do
  local beat = string.match(journal[i + 1], '^%a+:(%d+):%d+$')
  local staleAt = beat and tonumber(beat) + order.staleMs or math.huge
  if staleAt <= now then silent[#silent + 1] = journal[i] else next = math.min(next, staleAt) end
end

if #runOut == 0 and #ended == 0 and #silent == 0 and #refusedUsers == 0 and #reminded == 0 and #suspended == 0 then
  if next == math.huge then
    redis.call('ZREM', dueKey, org)
  else
    redis.call('ZADD', dueKey, text(next), org)
  end
end
return { runOut, ended, silent, refusedUsers, reminded, suspended, isCut and text(now - trafficSince) or nil }
