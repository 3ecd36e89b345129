-- renew: keeps many leases of one org for another TTL, each only where it still holds this session and epoch
-- (promises 1 and 5). A lease from before the reign is confirmed: it gets a new epoch and keeps its rank (promise 8).
--
-- MORE  the lease of each session
-- ARGV  JSON: org, nodeId, ttlMs, floor, view; then for each session: user, "<sessionId>:<epoch>:", epoch, connection
-- Reply Redis ms as text; '' or, where a reign begins, JSON; then for each session: 1 kept, { epoch, rank } kept under
--       this epoch, '' no lease, or the lease that stands there

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

for i, key in ipairs(moreKeys()) do
  local user, grant, epoch = ARGV[4 * i - 2], ARGV[4 * i - 1], tonumber(ARGV[4 * i])
  local value = redis.call('GET', key)
  local kept
  if value and epoch >= first and string.sub(value, 1, #grant) == grant then
    redis.call('PEXPIRE', key, ttlMs)
    kept = 1
  elseif value and isOwn(value, grant, epoch, ARGV[4 * i + 1]) then
    kept = confirm(key, user, value)
  end
  if kept then
    scores[#scores + 1] = leaseEnd
    scores[#scores + 1] = user
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
