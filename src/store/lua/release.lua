-- release: gives the seat back, only where it still holds this grant (promise 1): a late release of a loser does not
-- free the winner's seat. The fence goes up, so that nothing re-asserts over it.
--
-- ARGV  JSON: user, sessionId, epoch, connection, nodeId, eventsKept, floor, view
-- Reply JSON: outcome released | none (somebody else's, or nobody's)

local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
local epoch = tonumber(order.epoch)
if not holder then
  -- Redis has lost the lease: a re-assertion that is under way must not put it back.
  writeAtMaxmemory()
  barReturn(epoch, 'released')
  return encode({ outcome = 'none' })
end
if not isGrant(holder, order.sessionId, epoch, order.nodeId, order.connection) then return encode({ outcome = 'none' }) end

writeAtMaxmemory()
order.actor = 'user'
raiseFence(nextEpoch(holder.epoch), 'released')
endSeat(holder, 'released')
return encode({ outcome = 'released' })
