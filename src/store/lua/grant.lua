-- Stands after lease.lua before the scripts that compare a lease with what a node holds.

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
