-- ticket: what the broker's own ticket of a leave proves, where Redis has lost the leave, and to which machine it binds the seat
-- until its end. Stands after seat.lua before claim.lua.

-- The machine came back before the ticket's end: where the org trusts nobody to delete a ticket, no other machine gets the seat till then.
local function bindSeat(ticketEnd)
  -- An earlier ticket may be good for longer.
  local leftMs = math.max(ticketEnd - now, redis.call('PTTL', boundKey))
  if leftMs <= 0 then return end
  local machine = cjson.decode(order.machine)
  redis.call('SET', boundKey, cjson.encode({ id = machine.id, name = machine.name, since = text(now) }), 'PX', text(leftMs))
end

-- What another machine is told of the one that the seat is bound to; nil where it is not.
local function boundElsewhere()
  local value = redis.call('GET', boundKey)
  local machine = value and cjson.decode(value)
  if not machine or machine.id == order.machineId then return nil end
  local leftMs = redis.call('PTTL', boundKey)
  return {
    holder = { machine = { name = machine.name }, since = machine.since, onLeaveUntil = text(now + leftMs) },
    retryAfterMs = text(leftMs),
  }
end

-- Whether the session of the ticket is put back: nobody has the seat, and neither a fence at or above its epoch nor a leave is
-- known. Where somebody has it, a leave was lost and is overlapped: an event says so.
local function proves(ticket, holder, isSameMachine)
  if tonumber(ticket.expiresAt) <= now then return false end
  local epoch = tonumber(ticket.epoch)
  local fenceRank, fenceReason = readFence()
  if not holder then return fenceRank < epoch end
  -- A leave that was ended by force has a fence of its own reason.
  local isForced = fenceRank > epoch and fenceReason ~= 'taken_over'
  if isSameMachine or isForced then return false end
  note('leave.overlapped', {
    actor = 'broker', machine = order.machineId, by = holder.machine.id, sessionId = ticket.sessionId,
    epoch = ticket.epoch, ticketEndsAt = ticket.expiresAt,
  })
  return false
end
