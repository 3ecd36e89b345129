-- present: whether a token is still good that somebody shows beside a claim. Where it is the new token of a session, the
-- lease tells it from now on: what a later revocation goes by.
--
-- ARGV  JSON: user, iat?, jti?, sessionId?, epoch?, connection?, instance?, nodeId, floor, view
-- Reply 1 good, 0 revoked

if redis.call('HEXISTS', settingsKey, 'revocations') == 1 and isTokenRevoked(order.user, order) then return 0 end
local value = order.sessionId and redis.call('GET', leaseKey)
local holder = value and readLease(value)
local sharer = holder and holder.sessionId == order.sessionId and sharing.find(holder, order.instance)
if sharer and sharer.connection == order.connection then
  sharer.iat, sharer.jti = order.iat, order.jti
  redis.call('HSET', sharersKey, order.instance, cjson.encode(sharer))
end
if holder and (not holder.shared or holder.instance == order.instance)
  and isGrant(holder, order.sessionId, tonumber(order.epoch), order.nodeId, order.connection) then
  holder.iat, holder.jti = order.iat, order.jti
  local renewed = leaseValue(holder)
  redis.call('SET', leaseKey, renewed, 'KEEPTTL')
  redis.call('HSET', heldKey, order.user, renewed)
end
return 1
