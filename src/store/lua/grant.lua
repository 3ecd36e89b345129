-- Stands after lease.lua before the scripts that compare a lease with what a node holds.

-- Whether a lease is this grant: by its connection, since programs that share a session have one epoch, and an epoch may
-- have been raised by a reply that got lost. A lease of version 0.1 has no connection: there the epoch tells.
local function isGrant(lease, sessionId, epoch, nodeId, connection)
  if lease.sessionId ~= sessionId then return false end
  if not lease.connection then return lease.epoch == epoch end
  return lease.connection == connection and lease.nodeId == nodeId
end

-- Whether lease `one` gives way to `other`, which is another's: the newest act of a person wins (promise 8).
local function givesWay(one, other)
  if one.rank ~= other.rank then return one.rank < other.rank end
  return one.epoch <= other.epoch
end
