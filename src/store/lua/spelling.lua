-- Stands before the scripts that a new user may come with. `spellings` has by which spelling each user is known, under the
-- name without case: of everybody who was issued a license, and, where the org ignores case, of everybody.

-- The spelling by which the user is known, where the org ignores case and it is another one: the caller comes again with
-- it. So a user has one name in all keys, and nothing has to be renamed.
local function otherSpelling(name, folded, letterCase)
  if letterCase ~= 'ignore' then return nil end
  local known = redis.call('HGET', spellingsKey, folded or name)
  return known ~= name and known or nil
end

local function noteSpelling(name, folded)
  redis.call('HSET', spellingsKey, folded or name, name)
end
