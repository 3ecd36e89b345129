-- renew: keeps many leases of one org for another TTL, each only where it still holds this session and
-- epoch (promises 1 and 5). The first write is PEXPIRE, so that live sessions live on at maxmemory.
--
-- KEYS  active, then the lease of each session
-- ARGV  ttlMs, then for each session: user, fence "<sessionId>:<epoch>:"
-- Reply Redis ms as text, then for each session: 1 kept, '' no lease, or the lease that stands there

local ttlMs = tonumber(ARGV[1])
local reply = { text(now) }
local scores = {}
local leaseEnd = text(now + ttlMs)
for i = 2, #KEYS do
  local value = redis.call('GET', KEYS[i])
  local user, fence = ARGV[2 * i - 2], ARGV[2 * i - 1]
  if value and string.sub(value, 1, #fence) == fence then
    redis.call('PEXPIRE', KEYS[i], ttlMs)
    scores[#scores + 1] = leaseEnd
    scores[#scores + 1] = user
    reply[i] = 1
  else
    reply[i] = value or ''
  end
end
if #scores > 0 then redis.call('ZADD', KEYS[1], unpack(scores)) end
return reply
