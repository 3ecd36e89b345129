-- claim: gives the user's seat to at most one session, with an epoch above all before it
-- (promises 1, 2, 3, 9, 10). Owner, counters, audit event and the notice to the loser's node are one step.
-- A repeated request id is answered from the record, not done again; a claim past its deadline does nothing.
--
-- KEYS  lease, epoch, active, license, licensed, counters, events, machines, settings, fence, takeovers, request,
--       claims
-- ARGV  JSON: org, user, sessionId (used unless resumed), nodeId, machine (JSON text), machineId, machineKind?,
--       onConflict, resume? {sessionId, epoch}, ttlMs, licenseMode, licenseId, takeoversPerMinute, claimsPerMinute,
--       eventsKept, floor (highest epoch the node has seen), notAfter (Redis ms, 0 = none), channelPrefix
-- Reply JSON: outcome granted | conflict | denied | flapping | rate_limited | late

local lease, epochKey, active, licenseKey, licensed, counters, events, machines, settings, fence, takeovers, request,
  claims = unpack(KEYS)
local claim = cjson.decode(ARGV[1])

local recorded = redis.call('GET', request)
if recorded then return recorded end

local now = nowMs()
local function answer(reply)
  reply.now = text(now)
  local encoded = cjson.encode(reply)
  redis.call('SET', request, encoded, 'PX', 60000)
  return encoded
end

local function refuse(outcome, reason, more)
  redis.call('HINCRBY', counters, 'denied:' .. reason, 1)
  appendEvent(events, claim.eventsKept, now, {
    type = 'denied', reason = reason, user = claim.user, machine = claim.machineId,
  })
  more.outcome = outcome
  more.reason = reason
  return answer(more)
end

if claim.notAfter > 0 and now > claim.notAfter then
  return cjson.encode({ outcome = 'late', now = text(now) })
end

-- Promise 11: what a user may claim in a minute, refusals included. Of what is beyond it, only the first leaves an
-- event, and no answer is kept: a repetition does no harm.
if claim.claimsPerMinute > 0 then
  local count = redis.call('INCR', claims)
  if count == 1 then redis.call('PEXPIRE', claims, 60000) end
  if count > claim.claimsPerMinute then
    redis.call('HINCRBY', counters, 'denied:rate_limited', 1)
    if count == claim.claimsPerMinute + 1 then
      appendEvent(events, claim.eventsKept, now, {
        type = 'denied', reason = 'rate_limited', user = claim.user, machine = claim.machineId,
      })
    end
    return cjson.encode({ outcome = 'rate_limited', retryAfterMs = text(redis.call('PTTL', claims)), now = text(now) })
  end
end

-- Promise 10: the right to a session is looked at before anybody's seat is.
local rules = redis.call('HMGET', settings, 'licenseMode', 'quota', 'containers')
local mode = rules[1] or claim.licenseMode
local license = redis.call('HMGET', licenseKey, 'id', 'status', 'expiresAt')
local licenseId, status, expiresAt = license[1], license[2], license[3]
if licenseId then
  if status == 'suspended' then return refuse('denied', 'license_suspended', {}) end
  if status == 'revoked' then return refuse('denied', 'license_revoked', {}) end
  if status == 'expired' or (expiresAt and tonumber(expiresAt) <= now) then
    return refuse('denied', 'license_expired', {})
  end
elseif mode == 'required' then
  return refuse('denied', 'license_required', {})
elseif mode == 'auto' and rules[2] then
  local issued = tonumber(redis.call('HGET', counters, 'issued') or '0')
  if issued >= tonumber(rules[2]) then return refuse('denied', 'quota_exhausted', {}) end
end
if claim.machineKind == 'container' and mode ~= 'open' and rules[3] ~= 'allow' then
  return refuse('denied', 'machine_not_allowed', {})
end

local value = redis.call('GET', lease)
local holder = value and readLease(value)
local resumed, ending = false, nil
if holder then
  if holder.machine.id ~= claim.machineId then
    if claim.onConflict ~= 'takeover' then
      return refuse('conflict', 'conflict', {
        holder = { machine = { name = holder.machine.name }, since = text(holder.since) },
      })
    end
    local count = claim.takeoversPerMinute > 0 and redis.call('INCR', takeovers) or 0
    if count == 1 then redis.call('PEXPIRE', takeovers, 60000) end
    if count > claim.takeoversPerMinute then
      return refuse('flapping', 'flapping', { retryAfterMs = text(redis.call('PTTL', takeovers)) })
    end
    ending = 'taken_over'
  else
    local resume = claim.resume
    resumed = resume ~= nil and resume.sessionId == holder.sessionId and tonumber(resume.epoch) == holder.epoch
    ending = 'superseded'
  end
end

local epoch = nextEpoch(epochKey, tonumber(claim.floor))
local sessionId = resumed and holder.sessionId or claim.sessionId
local since = resumed and holder.since or now
local granted = leaseValue(sessionId, epoch, claim.nodeId, since, claim.machine)
if holder then
  redis.call('SET', lease, granted, 'PX', claim.ttlMs)
elseif not redis.call('SET', lease, granted, 'NX', 'PX', claim.ttlMs) then
  return redis.error_reply('ERR the lease appeared within the script')
end
raiseFence(fence, epoch, 'taken_over')

if not licenseId and mode == 'auto' then
  licenseId = claim.licenseId
  redis.call('HSET', licenseKey, 'id', licenseId, 'status', 'active', 'issuedAt', text(now))
  redis.call('ZADD', licensed, text(now), claim.user)
  redis.call('HINCRBY', counters, 'issued', 1)
  appendEvent(events, claim.eventsKept, now, { type = 'issued', user = claim.user, license = licenseId, actor = 'auto' })
end

-- Promise 9: granted + reasserted - all ended = active, always.
local isNew = redis.call('ZADD', active, text(now + claim.ttlMs), claim.user) == 1
if not isNew and not holder then redis.call('HINCRBY', counters, 'ended:expired', 1) end
if resumed then
  redis.call('HINCRBY', counters, 'resumed', 1)
else
  redis.call('HINCRBY', counters, 'granted', 1)
  if ending then redis.call('HINCRBY', counters, 'ended:' .. ending, 1) end
end
redis.call('ZADD', machines, text(now), claim.machineId)
redis.call('ZREMRANGEBYRANK', machines, 0, -257)
appendEvent(events, claim.eventsKept, now, {
  type = resumed and 'resumed' or 'granted', user = claim.user, machine = claim.machineId,
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
    notify(claim.channelPrefix, holder, {
      org = claim.org, user = claim.user, reason = ending, at = text(now), byEpoch = text(epoch),
      by = cjson.decode(claim.machine),
    })
  end
end

return answer({
  outcome = 'granted', sessionId = sessionId, epoch = text(epoch), resumed = resumed, since = text(since),
  license = licenseId and { id = licenseId, expiresAt = expiresAt or nil } or nil,
  displaced = displaced,
})
