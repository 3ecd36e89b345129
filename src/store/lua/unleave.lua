-- unleave: turns a leave back that its program has not heard of: the session goes on under a new epoch.
--
-- ARGV  JSON: user, sessionId, epoch (of the leave), connection, nodeId, asks?, idle?, ttlMs, eventsKept, floor, view
-- Reply JSON: outcome back, with epoch and rank | none

local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
if not holder or not holder.leave or holder.sessionId ~= order.sessionId or holder.epoch ~= tonumber(order.epoch) then
  return encode({ outcome = 'none' })
end
writeAtMaxmemory()
holder.epoch = nextEpoch(holder.epoch)
holder.nodeId, holder.connection, holder.leave = order.nodeId, order.connection, nil
holder.asks, holder.idle = order.asks, order.idle
local back = leaseValue(holder)
redis.call('SET', leaseKey, back, 'PX', order.ttlMs)
enterActive(back)
note('leave.undone', {
  actor = 'broker', machine = holder.machine.id, sessionId = holder.sessionId, epoch = text(holder.epoch),
})
return encode({ outcome = 'back', epoch = text(holder.epoch), rank = text(holder.rank) })
