-- ticket: what the broker's own ticket of a leave proves, where Redis has lost the leave. Stands after seat.lua before claim.lua.

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
