-- places: a leave that was ended by force leaves a ticket behind, which is good until its end. Till then a place is kept for it, among
-- the seats and in the quota, unless its user has one there anyway. Stands before quota.lua.

-- More are not looked at: each check would take longer with each.
local MOST_TICKETS = 1000

local function keepTicket(user, ticketEnd)
  if ticketEnd <= now then return end
  redis.call('ZREMRANGEBYSCORE', ticketsKey, '-inf', text(now))
  ticketEnd = math.max(ticketEnd, tonumber(redis.call('ZSCORE', ticketsKey, user) or 0))
  redis.call('ZADD', ticketsKey, text(ticketEnd), user)
  if redis.call('PTTL', ticketsKey) < ticketEnd - now then redis.call('PEXPIRE', ticketsKey, text(ticketEnd - now)) end
end

-- How many places are kept beside those that the index has: of users with a ticket who are not in it. Of the active those count only
-- whose lease stands. `own`: a user whose place is not counted.
local function placesKept(index, own)
  local users = redis.call('ZRANGEBYSCORE', ticketsKey, '(' .. text(now), '+inf', 'LIMIT', 0, MOST_TICKETS)
  if #users == 0 then return 0 end
  local least = index == activeKey and now or 0
  local kept = 0
  for i, score in ipairs(redis.call('ZMSCORE', index, unpack(users))) do
    if users[i] ~= own and (not score or tonumber(score) <= least) then kept = kept + 1 end
  end
  return kept
end
