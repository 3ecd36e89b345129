-- issue: gives the user a license, once, and never past the org's quota. A revoked license makes room for a new one.
-- A repeated request id is answered from the record, not done again. Of a bulk import nothing is issued any more once
-- it is being undone.
--
-- ARGV  JSON: org, user, folded?, id, expiresAt? (Redis ms), expiresOn?, note?, kind?, startsAt? (Redis ms),
--       graceMs?, idleExempt?, import?, actor, eventsKept
-- Reply JSON: outcome done, with the license |
--             refused, with reason exists | quota_exhausted | expires_in_the_past | import_ended |
--            spelled: the user is known by another spelling

local recorded = redis.call('GET', requestKey)
if recorded then return recorded end
local spelling = otherSpelling(order.user, order.folded, redis.call('HGET', settingsKey, 'letterCase'))
if spelling then return encode({ outcome = 'spelled', user = spelling }) end
if order.import and not string.find(redis.call('HGET', importsKey, order.import) or '', '^running:') then
  return refuse('import_ended')
end
if status and status ~= 'revoked' then return refuse('exists') end
if not hasQuotaLeft() then return refuse('quota_exhausted') end
if order.expiresAt and tonumber(order.expiresAt) <= now then return refuse('expires_in_the_past') end

local before = order.import and status == 'revoked' and revokedRecord() or nil
redis.call('ZREM', revokedKey, order.user)
redis.call('HDEL', licenseKey, 'import', 'before')
issueLicense(order.id)
if order.expiresAt then setEnd(order.expiresAt, order.expiresOn) end
setTerms()
if order.note then redis.call('HSET', licenseKey, 'note', order.note) end
if order.import then redis.call('HSET', licenseKey, 'import', order.import) end
if before then redis.call('HSET', licenseKey, 'before', before) end
local reply = done()
-- A failed import is undone, not tried again.
if not order.import then redis.call('SET', requestKey, reply, 'PX', 86400000) end
return reply
