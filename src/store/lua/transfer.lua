-- transfer: moves the license, with its id, status and expiry, to a user who has none. A live session of the former
-- user ends at once. The number of licenses issued does not change. The license is of no bulk import any more; a license
-- of the former user that had been revoked before the import is a revoked one again.
--
-- MORE  license of the new user
-- ARGV  JSON: org, user, to, folded? (of `to`), note?, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the license and the session ended |
--             refused, with reason not_found | wrong_status | exists (the new user has a license)

local spelling = otherSpelling(order.to, order.folded, redis.call('HGET', settingsKey, 'letterCase'))
if spelling then return encode({ outcome = 'spelled', user = spelling }) end
local target = moreKeys()[1]
if not status then return refuse('not_found') end
if status == 'revoked' then return refuse('wrong_status') end
local other = redis.call('HMGET', target, 'id', 'status')
if other[1] and other[2] ~= 'revoked' then return refuse('exists') end

local away = refuseOnLeave()
if away then return away end
writeAtMaxmemory()
local former = order.user
noteLicense('license.transferred', { to = order.to })
local ended = evictHolder('license_revoked')
redis.call('HDEL', target, 'note', 'import', 'before', unpack(TERMS))
for _, name in ipairs({ 'id', 'status', 'issuedAt', 'note', unpack(TERMS) }) do
  local value = field(name)
  if value then redis.call('HSET', target, name, value) end
  redis.call('HDEL', licenseKey, name)
end
local before = field('before')
redis.call('HDEL', licenseKey, 'note', 'import', 'before')
if before then restoreRevoked(before) end
redis.call('ZREM', revokedKey, order.to)
noteSpelling(order.to, order.folded)
for _, index in ipairs({ licensedKey, usedKey, expiringKey, remindersKey }) do
  local score = redis.call('ZSCORE', index, former)
  if score then
    redis.call('ZREM', index, former)
    redis.call('ZADD', index, score, order.to)
  end
end
licenseKey = target
keepNote()
return done(ended)
