-- renew: keeps many leases of one org for another TTL, each only where it still holds this session and epoch
-- (promises 1 and 5). A lease from before the reign is confirmed: it gets a new epoch and keeps its rank (promise 8).
--
-- MORE  the lease of each session
-- ARGV  JSON: org, nodeId, ttlMs, floor, view; then for each session: user, "<sessionId>:<epoch>:", epoch, connection,
--       for how long nobody has been at work (ms; '' where that has not changed, or the program does not tell)
-- Reply Redis ms as text; '' or, where a reign begins, JSON; then for each session: 1 kept, 3 kept and shared, { epoch, rank } kept under
--       this epoch, 2 its token was revoked, '' no lease, or the lease that stands there

local order = cjson.decode(ARGV[1])
floor, viewUs = tonumber(order.floor), tonumber(order.view)
local ttlMs = order.ttlMs
local leaseEnd = text(now + ttlMs)

-- This writes nothing. At maxmemory Redis refuses a first write that may take memory, and lets a script finish that has
-- written: live sessions must live on.
redis.call('ZREM', activeKey, '')

local first = readReign().first
local reply = { text(now), reign.began and cjson.encode(reign.began) or '' }
local scores = {}

local function confirm(key, user, value)
  local lease = readLease(value)
  if lease.epoch < first then
    lease.epoch = nextEpoch(lease.epoch)
    value = leaseValue(lease)
    redis.call('SET', key, value, 'PX', ttlMs)
    redis.call('HSET', heldKey, user, value)
  else
    redis.call('PEXPIRE', key, ttlMs)
  end
  return { text(lease.epoch), text(lease.rank) }
end

-- One lease that cannot be read must not endanger its batch.
local function isOwn(value, grant, epoch, connection)
  local isReadable, lease = pcall(readLease, value)
  local sessionId = string.match(grant, '^(.*):%d+:$')
  return isReadable and isGrant(lease, sessionId, epoch, order.nodeId, connection)
end

-- Only by text, as it is asked of every lease: a quote within a name is escaped.
local function isShared(value)
  return string.find(value, '"shared":"1"', 1, true)
end

-- Mostly no token of the org is revoked, and nobody has to read which one a lease is for.
local areRevoked = redis.call('HEXISTS', settingsKey, 'revocations') == 1
local function isRevoked(value, user)
  if not areRevoked then return false end
  local isReadable, lease = pcall(readLease, value)
  return isReadable and isTokenRevoked(user, lease)
end

for i, key in ipairs(moreKeys()) do
  local user, grant, epoch = ARGV[5 * i - 3], ARGV[5 * i - 2], tonumber(ARGV[5 * i - 1])
  local value = redis.call('GET', key)
  local kept
  local isSame = value and epoch >= first and string.sub(value, 1, #grant) == grant
  if value and isRevoked(value, user) and (isSame or isOwn(value, grant, epoch, ARGV[5 * i])) then
    value = 2
  elseif isSame then
    redis.call('PEXPIRE', key, ttlMs)
    kept = isShared(value) and 3 or 1
  elseif value and isOwn(value, grant, epoch, ARGV[5 * i]) then
    kept = confirm(key, user, value)
  end
  if kept then
    scores[#scores + 1] = leaseEnd
    scores[#scores + 1] = user
    local idleMs = ARGV[5 * i + 1]
    -- Of programs that share the session, the one at which somebody was at work last tells.
    if idleMs ~= '' and isShared(value) then
      redis.call('ZADD', idleKey, 'GT', text(now - idleMs), user)
    elseif idleMs ~= '' then
      redis.call('ZADD', idleKey, text(now - idleMs), user)
    end
  end
  reply[i + 2] = kept or value or ''
end
if #scores > 0 then
  redis.call('ZADD', activeKey, unpack(scores))
  -- Promise 7: nearly always the org is due before that. Not after Redis's clock was set back, nor where the session is
  -- one of version 0.1.
  local minute = (math.floor(now / 60000) + 1) * 60000
  redis.call('ZADD', dueKey, 'LT', text(math.min(now + ttlMs, minute)), order.org)
end
return reply
