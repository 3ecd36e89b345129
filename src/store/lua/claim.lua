-- claim: gives the user's seat to at most one session, with an epoch above all before it
-- (promises 1, 2, 3, 9, 10, 13). Owner, counters, audit events and the notice to the loser's node are one step.
-- A repeated request id is answered from the record, not done again.
--
-- ARGV  JSON: org, user, folded? (the user's name without case, where it is another), sessionId (used unless resumed), nodeId, connection, machine (JSON text), machineId,
--       machineKind?, instance?, attempt?, client? (JSON text), address?, iat? and jti? (of the token), idleMs?, asks?, trace?, onConflict,
--       ticket? {sessionId, epoch, expiresAt}, askId? and isUnput? (completes a question), waited? (the connection that waited), resume? {sessionId, epoch}, ttlMs, licenseMode, licenseId,
--       takeoversPerMinute, claimsPerMinute, machinesKeptMs, eventsKept, channelPrefix, floor, view
-- Reply JSON: outcome granted (shared: with other programs of the machine) | conflict (with askId and waitMs while the holder is asked) | on_leave | ask_refused | denied |
--       flapping | rate_limited | stale |
--       spelled (nothing was done: the user is known by another spelling)

order.actor = 'user'

local recorded = redis.call('GET', requestKey)
if recorded then return recorded end
local rules = redis.call('HMGET', settingsKey, 'licenseMode', 'containers', 'machines', 'machine:' .. order.machineId,
  'addresses', 'letterCase', 'suspended', 'revocations', 'minVersion', 'maxActive', 'idleLimitMs', 'leaveReturn',
  'sameMachine')
local spelling = otherSpelling(order.user, order.folded, rules[6])
if spelling then return encode({ outcome = 'spelled', user = spelling }) end

local function answer(reply)
  local encoded = encode(reply)
  redis.call('SET', requestKey, encoded, 'PX', 60000)
  return encoded
end

local function refuse(outcome, reason, more)
  count('denied:' .. reason)
  noteDenial(reason)
  more.outcome = outcome
  more.reason = reason
  return answer(more)
end

local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
-- A connection that waited under another claim waits under this one from now on, or no more.
if order.waited then redis.call('HDEL', waitersKey, order.waited) end
local isSameMachine = holder and holder.machine.id == order.machineId

-- Whose session (PROTOCOL.md): the instance tells, or, where one side has none, the sessionId of the resume. So a
-- copied sessionId gives another process of the machine no right to the session.
local namesSession = isSameMachine and order.resume and order.resume.sessionId == holder.sessionId or false
local resumed = namesSession
if isSameMachine and order.instance and holder.instance then resumed = order.instance == holder.instance end
-- Where programs share it, it is those that it has.
local sharer = isSameMachine and sharing.find(holder, order.instance)
if isSameMachine and holder.shared then resumed = sharer and true or false end
-- A leave is the machine's, whatever process took it: its next hello ends it.
if isSameMachine and holder.leave then resumed = true end
local attempt, isRepeat = tonumber(order.attempt), false
local lastAttempt = sharer and tonumber(sharer.attempt) or holder and holder.instance == order.instance and holder.attempt
if resumed and order.instance and attempt and lastAttempt then
  -- Promise 15: an older hello, which lay somewhere, changes nothing. Nor does one from before a leave end that leave.
  if attempt < lastAttempt or holder.leave and attempt == lastAttempt then return encode({ outcome = 'stale' }) end
  isRepeat = attempt == lastAttempt
end
if resumed then writeAtMaxmemory() end

-- Promise 11: a user has so many claims in a minute, refused ones included. The answer to a claim beyond them is not kept:
-- repeating it does no harm.
if order.claimsPerMinute > 0 then
  local made = redis.call('INCR', claimsKey)
  if made == 1 then redis.call('PEXPIRE', claimsKey, 60000) end
  if made > order.claimsPerMinute then
    count('denied:rate_limited')
    noteDenial('rate_limited')
    return encode({ outcome = 'rate_limited', retryAfterMs = text(redis.call('PTTL', claimsKey)) })
  end
end

-- Promise 10: the right to a session is looked at before anybody's seat is.
local mode, containers, machineRule, thisMachine = rules[1] or order.licenseMode, rules[2], rules[3], rules[4]
local license = redis.call('HMGET', licenseKey, 'id', 'status', 'expiresAt', 'holdUntil', 'startsAt', 'graceMs', 'kind',
  'idleExempt')
local licenseId, status, expiresAt, holdUntil, startsAt, graceMs = unpack(license, 1, 6)
local graceEndsAt = expiresAt and graceMs and text(expiresAt + graceMs) or nil
if holdUntil and tonumber(holdUntil) > now then return refuse('denied', 'evicted_by_admin', {}) end
if rules[7] then return refuse('denied', 'org_suspended', {}) end
-- Tokens with the name of before let a renamed user in, under the name of now.
local renamed = not licenseId and redis.call('GET', renamedKey)
if renamed then return encode({ outcome = 'spelled', user = renamed }) end
if rules[8] and isTokenRevoked(order.user, order) then return refuse('denied', 'token_revoked', {}) end
if licenseId then
  if status == 'suspended' then return refuse('denied', 'license_suspended', {}) end
  if status == 'revoked' then return refuse('denied', 'license_revoked', {}) end
  if status == 'expired' or (expiresAt and tonumber(graceEndsAt or expiresAt) <= now) then
    return refuse('denied', 'license_expired', {})
  end
  if startsAt and tonumber(startsAt) > now then return refuse('denied', 'license_not_started', {}) end
elseif mode == 'required' then
  return refuse('denied', 'license_required', {})
elseif mode == 'auto' and not hasQuotaLeft() then
  return refuse('denied', 'quota_exhausted', {})
end
if thisMachine ~= 'allow' then
  local isStray = order.machineKind == 'container' and mode ~= 'open' and containers ~= 'allow'
  if thisMachine == 'deny' or machineRule == 'listed' or isStray then
    return refuse('denied', 'machine_not_allowed', {})
  end
end
-- A resume within its TTL never meets a cap; a user who has the seat, on whatever machine, never takes another one.
local isOutdated, isOverdrawn = false, false
if not resumed and rules[9] then
  isOutdated = isBelow(rules[9], order.client)
  if isOutdated and isVersionDue() then return refuse('denied', 'client_too_old', {}) end
end
if not holder and rules[10] then
  local isFull
  isFull, isOverdrawn = seatsLeft(tonumber(rules[10]))
  if isFull then return refuse('denied', 'seats_exhausted', {}) end
end

-- What a conflict tells of the holder.
local function shownHolder()
  return {
    machine = { name = holder.machine.name }, since = text(holder.since), sameMachine = isSameMachine or nil,
    onLeaveUntil = holder.leave and text(holder.leave) or nil,
  }
end

-- Two machines that fight for the seat: an ask counts as a takeover. Nil, or the answer to the claim.
local function flapping()
  if isSameMachine or order.askId or order.takeoversPerMinute == 0 then return nil end
  local taken = redis.call('INCR', takeoversKey)
  if taken == 1 then redis.call('PEXPIRE', takeoversKey, 60000) end
  if taken <= order.takeoversPerMinute then return nil end
  -- Both are told: a person must act, and it may be the one who sits at the holder. Once a minute will do.
  if taken == order.takeoversPerMinute + 1 then notify(holder, { type = 'contested' }, order.machine) end
  return refuse('flapping', 'flapping', { retryAfterMs = text(redis.call('PTTL', takeoversKey)) })
end

local ticket = order.ticket
local isBack = ticket and proves(ticket, holder, isSameMachine) or false

local bound = rules[12] and not resumed and boundElsewhere()
if bound then
  addWaiter()
  return refuse(order.onConflict == 'deny' and 'conflict' or 'on_leave', 'conflict', bound)
end

-- A reconnect joins too: it names a session, which may have ended while the machine slept, and takes nobody's seat.
local mayJoin = isSameMachine and not resumed and not holder.leave and rules[13] == 'share' and order.instance and holder.instance
  and (order.onConflict ~= 'deny' or order.resume)
local joins = mayJoin and sharing.hasRoom(holder)
local isTogether = joins or sharer
local ending = nil
if holder and not resumed and not joins then
  if isSameMachine then noteDouble(holder) end
  local verdict, waitMs = mayDisplace(holder)
  -- Promise 3: the holder cannot be told, and so is not displaced.
  if holder.leave and verdict == 'yes' then
    addWaiter()
    return refuse('on_leave', 'conflict', { holder = shownHolder(), retryAfterMs = text(holder.leave - now) })
  end
  local isAsk = order.onConflict == 'ask' or nil
  -- One program too many ends none of those that are there.
  if verdict == 'no' or mayJoin then
    addWaiter()
    return refuse('conflict', 'conflict', { holder = shownHolder(), asking = isAsk and false })
  elseif verdict == 'refused' then
    addWaiter()
    return answer({ outcome = 'ask_refused' })
  elseif verdict == 'wait' then
    addWaiter()
    followAsker()
    return answer({ outcome = 'conflict', holder = shownHolder(), askId = order.askId, waitMs = text(waitMs) })
  end
  local fight = flapping()
  if fight then return fight end
  if verdict == 'asking' then
    addWaiter()
    waitMs = askHolder(holder)
    return answer({ outcome = 'conflict', holder = shownHolder(), askId = order.sessionId, waitMs = text(waitMs) })
  end
  redis.call('DEL', askKey)
  ending = isSameMachine and 'superseded' or 'taken_over'
end

local current = readReign()
-- The client has seen an epoch that Redis has not: a grant is lost.
local isAhead = order.resume and tonumber(order.resume.epoch) > (resumed and holder.epoch or current.last) or nil

-- An event about the session, of this claim.
local function noteSeat(type, of)
  note(type, {
    actor = 'user', machine = order.machineId, sessionId = of.sessionId, epoch = text(of.epoch), node = order.nodeId,
  })
end

-- The session is this claim's too.
local function welcome(of, more)
  more.outcome, more.ahead = 'granted', isAhead
  more.sessionId, more.epoch, more.rank, more.since = of.sessionId, text(of.epoch), text(of.rank), text(of.since)
  more.license = licenseId and {
    id = licenseId, expiresAt = expiresAt or nil, graceEndsAt = graceEndsAt, kind = license[7] or nil,
  } or nil
  more.idleLimitMs = order.idleMs and not license[8] and rules[11] or nil
  -- A holder that resumes is still the one asked: its new node puts the question again.
  local ask = (resumed or joins) and holder.asks and order.asks and readAsk()
  if ask and ask.sessionId == holder.sessionId and ask.state == 'open' then
    more.question = {
      askId = ask.id, inMs = text(math.max(0, ask.untilMs - now)), askerNode = ask.nodeId, asker = ask.connection,
      by = cjson.decode(ask.machine),
    }
  end
  return answer(more)
end

if not licenseId and mode == 'auto' then
  licenseId = order.licenseId
  issueLicense(licenseId)
end

if isTogether then
  if joins then noteDouble(holder) end
  sharing.join(holder, sharer, isAhead, joins and order.onConflict ~= 'deny')
  noteUse(licenseId, isRepeat)
  if not isRepeat then
    noteMachine()
    if sharer then
      count('resumed')
      noteSeat('session.resumed', holder)
    end
    if isOutdated then noteSeat('session.outdated', holder) end
  end
  local displaced = sharer and sharing.supersede(holder, sharer) or nil
  return welcome(holder, { resumed = resumed and (namesSession or not isRepeat), displaced = displaced, shared = true })
end
dissolve(holder)
local epoch = nextEpoch()
local granted = {
  sessionId = resumed and holder.sessionId or isBack and ticket.sessionId or order.sessionId, epoch = epoch, rank = epoch, nodeId = order.nodeId,
  since = resumed and holder.since or now, machine = order.machine,
  connection = order.connection, instance = order.instance, attempt = attempt, client = order.client,
  address = rules[5] == 'keep' and order.address or nil, iat = order.iat, jti = order.jti, idle = order.idleMs, asks = order.asks,
}
-- Over the beginning of a reign a lease keeps its rank: a reconnect, which denies, is no act of a person (promise 8).
-- Where Redis has no lease any more, the epoch that the client names tells how old its act is. The rank is not below the
-- fence. Where the fence is of a grant, the rank is one below it, so that this grant still wins when it comes back.
local isPersons = order.onConflict == 'takeover'
if resumed and (isRepeat or not isPersons and holder.rank < current.first) then
  granted.rank = holder.rank
elseif not (holder or isPersons) and order.resume and tonumber(order.resume.epoch) < current.first then
  local fenceRank, fenceReason = readFence()
  if fenceReason == 'taken_over' then fenceRank = fenceRank - 1 end
  granted.rank = math.max(tonumber(order.resume.epoch), fenceRank)
end
local grantedText = leaseValue(granted)
if holder then
  redis.call('SET', leaseKey, grantedText, 'PX', order.ttlMs)
elseif not redis.call('SET', leaseKey, grantedText, 'NX', 'PX', order.ttlMs) then
  return redis.error_reply('ERR the lease appeared within the script')
end
raiseFence(granted.rank, 'taken_over')
if rules[6] == 'ignore' then noteSpelling(order.user, order.folded) end

-- Promise 9: granted + reasserted - all ended = active, always. A lease that ran out and that nobody swept ends here.
local unseen = not holder and redis.call('HGET', heldKey, order.user)
local isNew = enterActive(grantedText)
local ranOut = unseen and readLease(unseen)
dissolve(ranOut)
-- The session that a ticket puts back has not ended.
local isSame = isBack and ranOut and ranOut.sessionId == granted.sessionId
if not isNew and not holder and not isSame then noteEnd(ranOut, 'expired', { actor = 'broker' }) end
if ending then noteEnd(holder, ending, { actor = 'user', by = order.machineId }) end
noteUse(licenseId, isRepeat)
if rules[12] and (isBack or resumed and holder.leave) then bindSeat(tonumber(isBack and ticket.expiresAt or holder.leave)) end
if not isRepeat then
  if not isSame or isNew then count(resumed and 'resumed' or isBack and 'reasserted' or 'granted') end
  noteMachine()
  noteSeat(resumed and 'session.resumed' or isBack and 'session.reasserted' or 'session.granted', granted)
end

if order.idleMs then
  redis.call('ZADD', idleKey, text(now - order.idleMs), order.user)
elseif holder and holder.idle or ranOut and ranOut.idle then
  redis.call('ZREM', idleKey, order.user)
end
if isOutdated and not isRepeat then
  note('session.outdated', { actor = 'user', machine = order.machineId, sessionId = granted.sessionId })
end
if rules[10] and isNew then noteSeats(tonumber(rules[10])) end
if isOverdrawn then count('overdrawn') end

local displaced
if holder then
  local reason = ending or 'superseded'
  displaced = {
    sessionId = holder.sessionId, epoch = text(holder.epoch), connection = holder.connection,
    nodeId = holder.nodeId, reason = reason, machine = holder.machine,
  }
  if holder.shared or holder.nodeId ~= order.nodeId then notify(holder, { reason = reason, byEpoch = text(epoch) }, order.machine) end
end

return welcome(granted, {
  resumed = resumed and (namesSession or not isRepeat) or isBack, displaced = displaced, overdrawn = isOverdrawn or nil,
})
