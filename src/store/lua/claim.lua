-- claim: gives the user's seat to at most one session, with an epoch above all before it
-- (promises 1, 2, 3, 9, 10). Owner, counters, audit event and the notice to the loser's node are one step.
-- A repeated request id is answered from the record, not done again.
--
-- KEYS  those of seat.lua, request, claims
-- ARGV  JSON: org, user, sessionId (used unless resumed), nodeId, machine (JSON text), machineId, machineKind?,
--       onConflict, resume? {sessionId, epoch}, ttlMs, licenseMode, licenseId, takeoversPerMinute, claimsPerMinute,
--       eventsKept, floor (highest epoch the node has seen), channelPrefix
-- Reply JSON: outcome granted | conflict | denied | flapping | rate_limited

local request, claims = KEYS[16], KEYS[17]
local claim = cjson.decode(ARGV[1])
claim.actor = 'user'

local recorded = redis.call('GET', request)
if recorded then return recorded end

local function answer(reply)
  reply.now = text(now)
  local encoded = cjson.encode(reply)
  redis.call('SET', request, encoded, 'PX', 60000)
  return encoded
end

local function noteDenial(reason)
  appendEvent(claim, {
    type = 'denied', reason = reason, actor = 'user', machine = claim.machineId, node = claim.nodeId,
  })
end

local function refuse(outcome, reason, more)
  count('denied:' .. reason)
  noteDenial(reason)
  more.outcome = outcome
  more.reason = reason
  return answer(more)
end

-- The user's machines: the newest 256, each with "<first seen>:<how often>:<machine as JSON>".
local function noteMachine(order)
  local first, often = string.match(redis.call('HGET', machineNotes, order.machineId) or '', '^(%d+):(%d+):')
  redis.call('ZADD', machines, text(now), order.machineId)
  redis.call('HSET', machineNotes, order.machineId,
    table.concat({ first or text(now), text((often or 0) + 1), order.machine }, ':'))
  if first then return end
  local tooMany = redis.call('ZCARD', machines) - 256
  local oldest = tooMany > 0 and redis.call('ZPOPMIN', machines, tooMany) or {}
  for i = 1, #oldest, 2 do redis.call('HDEL', machineNotes, oldest[i]) end
end

local value = redis.call('GET', lease)
local holder = value and readLease(value)
local isSameMachine = holder and holder.machine.id == claim.machineId
local resume = isSameMachine and claim.resume
local resumed = resume and resume.sessionId == holder.sessionId and tonumber(resume.epoch) == holder.epoch or false
if resumed then writeAtMaxmemory() end

-- Promise 11: what a user may claim in a minute, refusals included. Of what is beyond it, only the first leaves an
-- event, and no answer is kept: a repetition does no harm.
if claim.claimsPerMinute > 0 then
  local made = redis.call('INCR', claims)
  if made == 1 then redis.call('PEXPIRE', claims, 60000) end
  if made > claim.claimsPerMinute then
    count('denied:rate_limited')
    if made == claim.claimsPerMinute + 1 then noteDenial('rate_limited') end
    return cjson.encode({ outcome = 'rate_limited', retryAfterMs = text(redis.call('PTTL', claims)), now = text(now) })
  end
end

-- Promise 10: the right to a session is looked at before anybody's seat is.
local rules = redis.call('HMGET', settings, 'licenseMode', 'containers', 'machines', 'machine:' .. claim.machineId)
local mode, containers, machineRule, thisMachine = rules[1] or claim.licenseMode, rules[2], rules[3], rules[4]
local license = redis.call('HMGET', licenseKey, 'id', 'status', 'expiresAt', 'holdUntil')
local licenseId, status, expiresAt, holdUntil = unpack(license)
if holdUntil and tonumber(holdUntil) > now then return refuse('denied', 'evicted_by_admin', {}) end
if licenseId then
  if status == 'suspended' then return refuse('denied', 'license_suspended', {}) end
  if status == 'revoked' then return refuse('denied', 'license_revoked', {}) end
  if status == 'expired' or (expiresAt and tonumber(expiresAt) <= now) then
    return refuse('denied', 'license_expired', {})
  end
elseif mode == 'required' then
  return refuse('denied', 'license_required', {})
elseif mode == 'auto' and not hasQuotaLeft() then
  return refuse('denied', 'quota_exhausted', {})
end
if thisMachine ~= 'allow' then
  local isStray = claim.machineKind == 'container' and mode ~= 'open' and containers ~= 'allow'
  if thisMachine == 'deny' or machineRule == 'listed' or isStray then
    return refuse('denied', 'machine_not_allowed', {})
  end
end

local ending = nil
if holder then
  if not isSameMachine then
    if claim.onConflict ~= 'takeover' then
      return refuse('conflict', 'conflict', {
        holder = { machine = { name = holder.machine.name }, since = text(holder.since) },
      })
    end
    local taken = claim.takeoversPerMinute > 0 and redis.call('INCR', takeovers) or 0
    if taken == 1 then redis.call('PEXPIRE', takeovers, 60000) end
    if taken > claim.takeoversPerMinute then
      -- Both are told: a person must act, and it may be the one who sits at the holder. Once a minute will do.
      if taken == claim.takeoversPerMinute + 1 then
        notify(claim, holder, { type = 'contested' }, claim.machine)
      end
      return refuse('flapping', 'flapping', { retryAfterMs = text(redis.call('PTTL', takeovers)) })
    end
    ending = 'taken_over'
  else
    ending = 'superseded'
  end
end

local epoch = nextEpoch(tonumber(claim.floor))
local sessionId = resumed and holder.sessionId or claim.sessionId
local since = resumed and holder.since or now
local granted = leaseValue(sessionId, epoch, claim.nodeId, since, claim.machine)
if holder then
  redis.call('SET', lease, granted, 'PX', claim.ttlMs)
elseif not redis.call('SET', lease, granted, 'NX', 'PX', claim.ttlMs) then
  return redis.error_reply('ERR the lease appeared within the script')
end
raiseFence(epoch, 'taken_over')

if not licenseId and mode == 'auto' then
  licenseId = claim.licenseId
  issueLicense(claim, licenseId)
end

-- Promise 9: granted + reasserted - all ended = active, always.
local isNew = enterActive(claim, now)
if not isNew and not holder then count('ended:expired') end
redis.call('PFADD', users, claim.user)
count(resumed and 'resumed' or 'granted')
if ending and not resumed then count('ended:' .. ending) end
if licenseId then redis.call('ZADD', used, text(now), claim.user) end
noteMachine(claim)
appendEvent(claim, {
  type = resumed and 'resumed' or 'granted', actor = 'user', machine = claim.machineId,
  sessionId = sessionId, epoch = text(epoch), node = claim.nodeId,
  ended = ending and not resumed and holder.sessionId or nil, reason = ending and not resumed and ending or nil,
})

local displaced
if holder then
  displaced = {
    sessionId = holder.sessionId, epoch = text(holder.epoch), nodeId = holder.nodeId,
    reason = ending, machine = holder.machine,
  }
  if holder.nodeId ~= claim.nodeId then
    notify(claim, holder, { reason = ending, byEpoch = text(epoch) }, claim.machine)
  end
end

return answer({
  outcome = 'granted', sessionId = sessionId, epoch = text(epoch), resumed = resumed, since = text(since),
  license = licenseId and { id = licenseId, expiresAt = expiresAt or nil } or nil,
  displaced = displaced,
})
