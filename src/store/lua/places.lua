-- places: what the tickets of leaves that were ended by force keep until their ends: a place among the seats, and after a
-- revocation one in the quota. The entry of a user who has a place of their own anyway is below zero. Stands before seat.lua.

local function keepPlace(key, user, ticketEnd)
  redis.call('ZREMRANGEBYSCORE', key, 1, text(now))
  redis.call('ZADD', key, text(ticketEnd), user)
  if redis.call('PTTL', key) < ticketEnd - now then redis.call('PEXPIRE', key, text(ticketEnd - now)) end
end

local function ticketEndOf(key, user)
  return tonumber(redis.call('ZSCORE', key, user) or 0)
end

-- The user has a place of their own from now on.
local function takePlace(key, user)
  local ticketEnd = ticketEndOf(key, user)
  if ticketEnd > 0 then redis.call('ZADD', key, text(-ticketEnd), user) end
end

-- The user's own place is free.
local function leavePlace(key, user)
  local ticketEnd = -ticketEndOf(key, user)
  if ticketEnd > now then redis.call('ZADD', key, text(ticketEnd), user) end
end

-- How many places the tickets of others keep.
local function placesKept(key, user)
  local kept = redis.call('ZCOUNT', key, '(' .. text(now), '+inf')
  if kept > 0 and ticketEndOf(key, user) > now then kept = kept - 1 end
  return kept
end
