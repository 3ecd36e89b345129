-- A lease is "<sessionId>:<epoch>:<nodeId>:<since>:<JSON>". The JSON is the machine, and in its field `seat` what only
-- the broker looks at, all as text: rank (the epoch of the person's act), connection (of the node's that holds it),
-- instance? and attempt? (of the program). A lease of version 0.1 has no `seat`: its rank is its epoch.

local function readLease(value)
  local sessionId, epoch, nodeId, since, machine = string.match(value, '^([^:]+):(%d+):([^:]+):(%d+):(.*)$')
  machine = cjson.decode(machine)
  local seat = machine.seat or {}
  machine.seat = nil
  return {
    sessionId = sessionId, epoch = tonumber(epoch), nodeId = nodeId, since = tonumber(since), machine = machine,
    rank = tonumber(seat.rank or epoch), connection = seat.connection,
    instance = seat.instance, attempt = tonumber(seat.attempt),
  }
end

-- `machine` is a table here, as readLease gives it, or its JSON. Put together as text: this is done for every claim.
local function leaseValue(lease)
  local machine = type(lease.machine) == 'table' and cjson.encode(lease.machine) or lease.machine
  local seat = '{"seat":{"rank":"' .. text(lease.rank) .. '"'
  if lease.connection then seat = seat .. ',"connection":"' .. lease.connection .. '"' end
  if lease.instance then seat = seat .. ',"instance":' .. cjson.encode(lease.instance) end
  if lease.attempt then seat = seat .. ',"attempt":"' .. text(lease.attempt) .. '"' end
  return table.concat({ lease.sessionId, text(lease.epoch), lease.nodeId, text(lease.since),
    seat .. '},' .. string.sub(machine, 2) }, ':')
end
