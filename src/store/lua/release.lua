-- release: gives the seat back, only where it still holds this grant (promise 1): a late release of a loser does not
-- free the winner's seat. The fence goes up, so that nothing re-asserts over it.
--
-- ARGV  JSON: user, sessionId, epoch, connection, instance?, isShared? (as far as its node knows),
--       nodeId, eventsKept, floor, view
-- Reply JSON: outcome released | left (other programs of the machine share the session, and hold it on) | none (somebody
--       else's, or nobody's)

local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
local epoch = tonumber(order.epoch)
if not holder then
  -- Redis has lost the lease: a re-assertion that is under way must not put it back.
  -- Others who share the session may put it back: they go on.
  if order.isShared then return encode({ outcome = 'none' }) end
  writeAtMaxmemory()
  barReturn(epoch, 'released')
  return encode({ outcome = 'none' })
end
if holder.shared and holder.sessionId == order.sessionId then
  writeAtMaxmemory()
  local left = sharing.takeOut(holder, 'released')
  if left ~= 0 then return encode({ outcome = left and 'left' or 'none' }) end
elseif not isGrant(holder, order.sessionId, epoch, order.nodeId, order.connection) then
  return encode({ outcome = 'none' })
end

writeAtMaxmemory()
order.actor = 'user'
-- Where Redis has lost who shares the session, the others put it back with their next renewal.
if not order.isShared then raiseFence(nextEpoch(holder.epoch), 'released') end
endSeat(holder, 'released')
return encode({ outcome = 'released' })
