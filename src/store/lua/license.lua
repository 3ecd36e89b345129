-- Stands before every script that changes a license, after seat.lua.
-- A license is a hash: id, status active | suspended | expired | revoked, issuedAt, expiresAt?, expiresOn?, note?, import?, before?;
-- its terms kind?, startsAt?, graceMs? (for how long after its end it holds), idleExempt?;
-- beside them holdUntil?, which is the user's and also stands without a license.
-- Issued, and so counted against the quota, are those in `licensed`: all but the revoked.

local function field(name)
  return redis.call('HGET', licenseKey, name) or nil
end

local status = field('id') and field('status')

-- What goes along with a license, beside its id, status and note.
local TERMS = { 'expiresAt', 'expiresOn', 'kind', 'startsAt', 'graceMs', 'idleExempt' }

-- When the license holds no more (Redis ms), its grace included; nil: never.
local function lastMoment()
  local expiresAt = field('expiresAt')
  return expiresAt and tonumber(expiresAt) + tonumber(field('graceMs') or '0') or nil
end

-- Suspended and expired licenses are counted; the others follow from `licensed` and `revoked`.
local counted = { suspended = true, expired = true }
local function setStatus(to)
  if counted[status] then redis.call('HINCRBY', countersKey, status, -1) end
  if counted[to] then redis.call('HINCRBY', countersKey, to, 1) end
  redis.call('HSET', licenseKey, 'status', to)
  status = to
end

local function noteLicense(type, more)
  redis.call('HINCRBY', countersKey, 'licenseChanges', 1)
  local fields = { license = field('id'), actor = order.actor, note = order.note }
  for name, value in pairs(more or {}) do fields[name] = value end
  note(type, fields)
end

-- Sets when the license ends, and has somebody look at it in time; nil: it does not end any more. The day that was given for
-- it stands beside the time that it stood for: an older node sets the one and leaves the other.
local function setEnd(expiresAt, expiresOn)
  if not expiresAt then
    redis.call('HDEL', licenseKey, 'expiresAt', 'expiresOn')
    redis.call('ZREM', expiringKey, order.user)
    redis.call('ZREM', remindersKey, order.user)
    return
  end
  redis.call('HSET', licenseKey, 'expiresAt', expiresAt)
  if expiresOn then
    redis.call('HSET', licenseKey, 'expiresOn', expiresOn .. ' ' .. expiresAt)
  else
    redis.call('HDEL', licenseKey, 'expiresOn')
  end
  redis.call('ZADD', expiringKey, expiresAt, order.user)
  local reminder = nextReminder(tonumber(expiresAt))
  if reminder then
    redis.call('ZADD', remindersKey, text(reminder), order.user)
  else
    redis.call('ZREM', remindersKey, order.user)
  end
  dueBy(reminder or expiresAt)
end

-- A change without a note keeps the one before; an empty note takes it away.
local function keepNote()
  if order.note == '' then redis.call('HDEL', licenseKey, 'note') end
  if order.note and order.note ~= '' then redis.call('HSET', licenseKey, 'note', order.note) end
end

-- A revoked license as text, to be put back if an import that issued over it fails.
local function revokedRecord()
  local record = { revokedAt = redis.call('ZSCORE', revokedKey, order.user) or nil }
  for _, name in ipairs({ 'id', 'issuedAt', 'note', unpack(TERMS) }) do record[name] = field(name) end
  return cjson.encode(record)
end

local function restoreRevoked(encoded)
  local record = cjson.decode(encoded)
  redis.call('ZADD', revokedKey, record.revokedAt or text(now), order.user)
  record.revokedAt = nil
  redis.call('HSET', licenseKey, 'status', 'revoked')
  for name, value in pairs(record) do redis.call('HSET', licenseKey, name, value) end
end

-- Sets the terms that the order names; '' takes one away. Gives what has changed, for the event.
local function setTerms()
  local changed = {}
  for _, name in ipairs({ 'kind', 'startsAt', 'graceMs', 'idleExempt' }) do
    local value = order[name]
    if value == '' and redis.call('HDEL', licenseKey, name) == 1 or value and value ~= '' and value ~= field(name) then
      changed[name] = value
      if value ~= '' then redis.call('HSET', licenseKey, name, value) end
    end
  end
  return changed
end

local function refuse(reason, more)
  return encode({ outcome = 'refused', reason = reason, status = status or nil, leaveUntil = more })
end

-- Nil, or the answer to an order that would end a leave without being meant to.
local function refuseOnLeave()
  local leaveUntil = onLeave()
  return leaveUntil and refuse('on_leave', leaveUntil)
end

local function done(ended)
  local record = {}
  local flat = redis.call('HGETALL', licenseKey)
  for i = 1, #flat, 2 do record[flat[i]] = flat[i + 1] end
  return encode({ outcome = 'done', license = record, ended = ended and ended.sessionId or nil })
end
