-- caps: what an org may have at most, or must have at least. Stands after seat.lua before claim.lua.

-- A dotted number as its parts; nil where it is none.
local function partsOf(version)
  if type(version) ~= 'string' or not string.match(version, '^%d[%d%.]*$') then return nil end
  local parts = {}
  for part in string.gmatch(version, '%d+') do parts[#parts + 1] = tonumber(part) end
  return parts
end

-- Whether a program is below the least version: `least` is a JSON map from program to version, `client` JSON or nil.
-- A version that is missing or is no dotted number is below, and so is a program without a name. A program that the map
-- does not name may be of any version.
local function isBelow(least, client)
  local name, version
  if client then
    client = cjson.decode(client)
    name, version = client.name, client.version
  end
  if not name then return true end
  local wanted = partsOf(cjson.decode(least)[name])
  if not wanted then return false end
  local given = partsOf(version)
  if not given then return true end
  for i = 1, math.max(#wanted, #given) do
    local have, need = given[i] or 0, wanted[i] or 0
    if have ~= need then return have < need end
  end
  return false
end

-- Until this time a program that is too old is let in, and an event tells of it.
local function isVersionDue()
  local from = redis.call('HGET', settingsKey, 'minVersionFrom')
  return not from or tonumber(from) <= now
end

-- Whether no seat is left of so many, and whether the next one is of the overdraft. A lease that ran out and that nobody
-- swept takes no place.
local function seatsLeft(maxActive)
  local kept = placesKept(activeKey, order.user)
  if redis.call('ZCARD', activeKey) + kept < maxActive then return false, false end
  local seats = redis.call('ZCOUNT', activeKey, '(' .. text(now), '+inf') + kept
  local own = redis.call('ZSCORE', activeKey, order.user)
  if own and tonumber(own) > now then seats = seats - 1 end
  if seats < maxActive then return false, false end
  local percent = tonumber(redis.call('HGET', settingsKey, 'maxActiveOverdraft') or '0')
  local isFull = seats >= math.floor(maxActive * (100 + percent) / 100)
  return isFull, not isFull
end

-- Tells, once for each crossing, that nearly all and all seats are in use, and that more are than the org may have.
-- It is told anew after fewer than four fifths were in use. Tickets keep seats, too.
local function noteSeats(maxActive)
  local seats = redis.call('ZCARD', activeKey) + placesKept(activeKey)
  local told = tonumber(redis.call('HGET', countersKey, 'seatsTold') or '0')
  local level = seats > maxActive and 3 or seats == maxActive and 2 or seats >= 0.9 * maxActive and 1 or 0
  local isCrossed = level > told or level > 0 and seats - 1 < 0.8 * maxActive
  if isCrossed or told > 0 and level == 0 then redis.call('HSET', countersKey, 'seatsTold', level) end
  if not isCrossed then return end
  local names = { 'org.seats_nearly_used', 'org.seats_exhausted', 'org.seats_overdrawn' }
  emit(names[level], { actor = 'broker', active = text(seats), maxActive = text(maxActive) })
end
