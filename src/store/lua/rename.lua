-- rename: gives a user another name. License, machines, history and the past go along; a live session ends, as its program
-- knows the user by the old name. For as long as tokens live, one with the old name comes in as the new user (claim.lua).
--
-- MORE  license, machines, machineNotes, machineDoubles, history, bound and fence of the new name, and its `renamed`
-- ARGV  JSON: org, user, to, folded? (of `to`), foldedUser? (of `user`), aliasMs, note?, forced?, actor, eventsKept, channelPrefix
-- Reply JSON: outcome done, with the session ended | refused, with reason not_found | exists (something is known of `to`) |
--       on_leave, with leaveUntil

local there = moreKeys()
local own = { licenseKey, machinesKey, machineNotesKey, machineDoublesKey, historyKey, boundKey }
local isCaseOnly = (order.folded or order.to) == (order.foldedUser or order.user)
local known = redis.call('EXISTS', leaseKey, unpack(own)) > 0 or redis.call('HEXISTS', aliasesKey, order.user) == 1
if not known then return encode({ outcome = 'refused', reason = 'not_found' }) end
local spelled = not isCaseOnly and redis.call('HGET', settingsKey, 'letterCase') == 'ignore'
  and redis.call('HEXISTS', spellingsKey, order.folded or order.to) == 1
if spelled or redis.call('EXISTS', unpack(there, 1, 6)) > 0 or redis.call('HEXISTS', aliasesKey, order.to) == 1 then
  return encode({ outcome = 'refused', reason = 'exists' })
end

local away = onLeave()
if away then return encode({ outcome = 'refused', reason = 'on_leave', leaveUntil = away }) end
writeAtMaxmemory()
endUnswept()
local ended = evictHolder('user_renamed')
redis.call('HINCRBY', countersKey, 'licenseChanges', 1)
note('user.renamed', { actor = order.actor, note = order.note })
noteRefusals(redis.call('HGET', refusedKey, order.user))
redis.call('HDEL', refusedKey, order.user)

for i, key in ipairs(own) do
  if redis.call('EXISTS', key) == 1 then redis.call('RENAME', key, there[i]) end
end
-- A session that a node still holds must not come back under either name.
redis.call('SET', there[7], redis.call('GET', fenceKey), 'PX', math.max(redis.call('PTTL', fenceKey), redis.call('PTTL', there[7])))
-- The waiters and the question of the old name go: their programs claim again and reach the new one.
redis.call('DEL', waitersKey, askKey)
for _, index in ipairs({ licensedKey, usedKey, expiringKey, remindersKey, revokedKey, usersRevokedKey, ticketsKey }) do
  local score = redis.call('ZSCORE', index, order.user)
  if score then
    -- In this order: an index that is empty for a moment would lose its end.
    redis.call('ZADD', index, score, order.to)
    redis.call('ZREM', index, order.user)
  end
end
-- The past names the user by a key: that key has another name from now on.
local key = redis.call('HGET', aliasesKey, order.user)
redis.call('HSET', namesKey, key, order.to)
redis.call('HDEL', aliasesKey, order.user)
redis.call('HSET', aliasesKey, order.to, key)
local folded = order.foldedUser or order.user
if redis.call('HGET', spellingsKey, folded) == order.user then
  redis.call('HDEL', spellingsKey, folded)
  noteSpelling(order.to, order.folded)
end
-- The new name is nobody's old one any more.
redis.call('DEL', there[8])
redis.call('SET', renamedKey, order.to, 'PX', order.aliasMs)
return encode({ outcome = 'done', ended = ended and ended.sessionId or nil })
