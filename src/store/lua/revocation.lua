-- revocation: refuses one token from now on, or all of a user that were issued up to a moment, and ends what runs under
-- them. Forgotten when such tokens have ended anyway (look.lua).
--
-- ARGV  JSON: org, user ('' with a jti whose user is not known), jti?, before? (Unix ms, not after now; without it and a jti: now), tokenLifeMs,
--       note?, actor, eventsKept, channelPrefix, floor, view
-- Reply JSON: outcome done, with the session that ended, if one did | refused, with reason in_the_future

local before = tonumber(order.before or not order.jti and now or nil)
if before and before > now then return encode({ outcome = 'refused', reason = 'in_the_future' }) end
writeAtMaxmemory()
redis.call('HSET', settingsKey, 'revocations', '1')
if order.jti then
  redis.call('ZADD', tokensRevokedKey, text(now), order.jti)
else
  redis.call('ZADD', usersRevokedKey, 'GT', text(before), order.user)
end
dueBy(now + order.tokenLifeMs)
local fields = { actor = order.actor, note = order.note, token = order.jti, before = before and text(before) or nil }
fields.user = order.user ~= '' and order.user or nil
emit('token.revoked', fields)
local value = redis.call('GET', leaseKey)
local holder = value and readLease(value)
-- One session has many tokens where programs share it: it ends with the first of them.
local function isAnyRevoked()
  if isTokenRevoked(order.user, holder) then return true end
  for _, sharer in ipairs(holder.shared and redis.call('HVALS', sharersKey) or {}) do
    if isTokenRevoked(order.user, cjson.decode(sharer)) then return true end
  end
  return false
end
-- A leave goes on: its return shows a token, which is refused.
local ended = holder and not holder.leave and isAnyRevoked() and evictHolder('token_revoked')
return encode({ outcome = 'done', ended = ended and ended.sessionId or nil })
