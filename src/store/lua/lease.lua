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

-- `machine` is a table here, as readLease gives it, or its JSON.
local function leaseValue(lease)
  local machine = type(lease.machine) == 'table' and cjson.encode(lease.machine) or lease.machine
  local seat = cjson.encode({
    rank = text(lease.rank), connection = lease.connection,
    instance = lease.instance, attempt = lease.attempt and text(lease.attempt) or nil,
  })
  return table.concat({ lease.sessionId, text(lease.epoch), lease.nodeId, text(lease.since),
    '{"seat":' .. seat .. ',' .. string.sub(machine, 2) }, ':')
end

-- Whether a lease is this grant: its epoch, or its connection, whose epoch was raised by a reply that got lost.
local function isGrant(lease, sessionId, epoch, nodeId, connection)
  return lease.sessionId == sessionId
    and (lease.epoch == epoch or lease.connection and lease.connection == connection and lease.nodeId == nodeId)
end

-- Whether lease `one` gives way to `other`, which is another's: the newest act of a person wins (promise 8).
local function givesWay(one, other)
  if one.rank ~= other.rank then return one.rank < other.rank end
  return one.epoch <= other.epoch
end
