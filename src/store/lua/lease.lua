-- A lease is "<sessionId>:<epoch>:<nodeId>:<since>:<JSON>". The JSON is the machine, and in its field `seat` what only
-- the broker looks at, all as text: rank (the epoch of the person's act), connection (of the node's that holds it),
-- instance? and attempt? (of the program), client? (its name and version), address? (where the org keeps it), iat? and
-- jti? (of its token), idle? (it tells how long nobody has been at work), asks? (it answers questions for the seat),
-- leave? (Redis ms: until when the seat is taken along; such a lease is no node's), shared? (several programs of the
-- machine hold it together; see share.lua). A lease of version 0.1 has no `seat`: its rank is its epoch.

local function readLease(value)
  local sessionId, epoch, nodeId, since, machine = string.match(value, '^([^:]+):(%d+):([^:]+):(%d+):(.*)$')
  machine = cjson.decode(machine)
  local seat = machine.seat or {}
  machine.seat = nil
  return {
    sessionId = sessionId, epoch = tonumber(epoch), nodeId = nodeId, since = tonumber(since), machine = machine,
    rank = tonumber(seat.rank or epoch), connection = seat.connection,
    instance = seat.instance, attempt = tonumber(seat.attempt), client = seat.client, address = seat.address,
    iat = tonumber(seat.iat), jti = seat.jti, idle = seat.idle, asks = seat.asks, leave = tonumber(seat.leave),
    shared = seat.shared,
  }
end

-- `machine` and `client` are tables here, as readLease gives them, or JSON. Put together as text: this is done for every
-- claim.
local function inJson(value)
  return type(value) == 'table' and cjson.encode(value) or value
end

local function leaseValue(lease)
  local seat = '{"seat":{"rank":"' .. text(lease.rank) .. '"'
  if lease.connection then seat = seat .. ',"connection":"' .. lease.connection .. '"' end
  if lease.instance then seat = seat .. ',"instance":' .. cjson.encode(lease.instance) end
  if lease.attempt then seat = seat .. ',"attempt":"' .. text(lease.attempt) .. '"' end
  if lease.client then seat = seat .. ',"client":' .. inJson(lease.client) end
  if lease.address then seat = seat .. ',"address":' .. cjson.encode(lease.address) end
  if lease.iat then seat = seat .. ',"iat":"' .. text(lease.iat) .. '"' end
  if lease.jti then seat = seat .. ',"jti":' .. cjson.encode(lease.jti) end
  if lease.idle then seat = seat .. ',"idle":"1"' end
  if lease.asks then seat = seat .. ',"asks":"1"' end
  if lease.shared then seat = seat .. ',"shared":"1"' end
  if lease.leave then seat = seat .. ',"leave":"' .. text(lease.leave) .. '"' end
  return table.concat({ lease.sessionId, text(lease.epoch), lease.nodeId, text(lease.since),
    seat .. '},' .. string.sub(inJson(lease.machine), 2) }, ':')
end
