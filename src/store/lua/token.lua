-- token: which tokens were revoked. Stands before the scripts that let a token in.
-- The field `revocations` of the settings is there as long as there are any: mostly nobody has to look.

-- `of` has iat (ms) and jti of a token, where the token has them. After a revocation of a user's tokens only one that was
-- issued later is good: one that does not tell when is not.
local function isTokenRevoked(user, of)
  local moment = redis.call('ZSCORE', usersRevokedKey, user)
  if moment and (not of.iat or tonumber(of.iat) <= tonumber(moment)) then return true end
  return of.jti and redis.call('ZSCORE', tokensRevokedKey, of.jti) and true or false
end
