-- past: the one writer of events (promises 13 and 14). Stands before every script that writes one, after a line made of
-- event-types.ts: `actTypes`, which types are acts.
--
-- Acts are kept by time alone; traffic, which is sessions and refusals, by number, and look.lua ends it by time. So no
-- amount of traffic washes an act away.

-- The script that uses this file sets this, where it writes traffic.
local eventsKept
-- Somebody looks at the org within this time, and then when its oldest event is to go.
local LOOK_WITHIN_MS = 3600000
-- The newest event that this script wrote.
local written

local function emit(name, fields)
  local flat = { 'at', text(now), 'type', name }
  -- People at the license desk come with their role.
  if type(fields.actor) == 'table' then
    fields.role = fields.actor.role
    fields.actor = fields.actor.name
  end
  for field, value in pairs(fields) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  if not actTypes[name] then
    written = redis.call('XADD', eventsKey, 'MAXLEN', '~', eventsKept, '*', unpack(flat))
    return
  end
  -- One order for both streams: an act takes its id from the traffic, which goes on above it.
  dueBy(now + LOOK_WITHIN_MS)
  local id = redis.call('XADD', eventsKey, '*', '', '')
  redis.call('XDEL', eventsKey, id)
  written = redis.pcall('XADD', actsKey, id, unpack(flat))
  -- Somebody has deleted the traffic, and with it how far ids have got.
  if type(written) == 'table' then written = redis.call('XADD', actsKey, '*', unpack(flat)) end
end
