-- past: the one writer of events (promises 13 and 14). Stands before every script that writes one, after a line made of
-- event-types.ts: `actTypes`, which types are acts.
--
-- Acts are kept by time alone; traffic, which is sessions and refusals, by number, and look.lua ends it by time. So no
-- amount of traffic washes an act away.

-- The script that uses this file sets this, where it writes traffic.
local eventsKept
-- Somebody looks at the org within this time, and then when its oldest event is to go.
local LOOK_WITHIN_MS = 3600000
local OWNERS_ORG = '*'
-- The newest event that this script wrote.
local written

-- Events name a user by a random key, and the name is put in when they are read. So forgetting or renaming a user changes
-- one row, and never the past.
local keysMade, lastUser, lastKey = 0, nil, nil
local function keyOf(user)
  -- Most scripts write about one user, often more than once.
  if user == lastUser then return lastKey end
  local key = redis.call('HGET', aliasesKey, user)
  if key then
    lastUser, lastKey = user, key
    return key
  end
  repeat
    keysMade = keysMade + 1
    -- Of the moment, not of the user: nobody can try out names.
    key = string.sub(redis.sha1hex(time[1] .. '.' .. time[2] .. '.' .. keysMade), 1, 16)
  until redis.call('HSETNX', namesKey, key, user) == 1
  redis.call('HSET', aliasesKey, user, key)
  return key
end

-- Whether a webhook wants to hear of it. Without the set nobody has said yet what is wanted: whoever delivers will choose.
local OUTBOX_AT_MOST = 1000000
local isAnyWanted
local function isWanted(name)
  -- Nearly always only the mark is there: nobody wants anything.
  if isAnyWanted == nil then isAnyWanted = redis.call('SCARD', wantedKey) ~= 1 end
  if not isAnyWanted then return false end
  local found = redis.call('SMISMEMBER', wantedKey, '', name, org .. ' ' .. name)
  return found[1] == 0 or found[2] == 1 or found[3] == 1
end

-- In the step that makes the change, so that no event is lost on the way to a webhook.
local function post(name, flat)
  if not isWanted(name) then return end
  redis.call('XADD', outboxKey, 'MAXLEN', '~', OUTBOX_AT_MOST, '*', 'org', org, 'id', written, unpack(flat))
end

local function emit(name, fields)
  local flat = { 'at', text(now), 'type', name }
  -- People at the license desk come with their role.
  if type(fields.actor) == 'table' then
    fields.role = fields.actor.role
    fields.actor = fields.actor.name
  end
  if fields.user then fields.userKey, fields.user = keyOf(fields.user), nil end
  if fields.to then fields.toKey, fields.to = keyOf(fields.to), nil end
  for field, value in pairs(fields) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  if not actTypes[name] then
    written = redis.call('XADD', eventsKey, 'MAXLEN', '~', eventsKept, '*', unpack(flat))
    return post(name, flat)
  end
  -- One order for both streams: an act takes its id from the traffic, which goes on above it.
  -- The trail of the owners is of no org, and kept for ever: nobody has to look at it.
  if org ~= OWNERS_ORG then dueBy(now + LOOK_WITHIN_MS) end
  local id = redis.call('XADD', eventsKey, '*', '', '')
  redis.call('XDEL', eventsKey, id)
  written = redis.pcall('XADD', actsKey, id, unpack(flat))
  -- Somebody has deleted the traffic, and with it how far ids have got.
  if type(written) == 'table' then written = redis.call('XADD', actsKey, '*', unpack(flat)) end
  post(name, flat)
end
