-- import: keeps the journal of bulk imports, so that one whose node died is undone by another node.
-- An entry is "<state>:<last sign of life>:<begun>", both Redis ms; the state is running or undoing. An import that is
-- being undone never comes to its end: a step that needs it running finds out here.
--
-- ARGV  JSON: org, step begin | beat | commit | undo | takeOver | forget, import, actor, licenses?, staleMs
-- Reply when it was begun, as text; false where the step does not apply, as where another import of the org has begun

local order = cjson.decode(ARGV[1])
org = order.org

local function write(state, begun)
  redis.call('HSET', importsKey, order.import, state .. ':' .. text(now) .. ':' .. begun)
  -- Somebody looks whether its node is still there.
  redis.call('ZADD', dueKey, 'LT', text(now + order.staleMs), order.org)
  return begun
end

local function close(type, begun)
  redis.call('HDEL', importsKey, order.import)
  emit(type, { actor = order.actor, import = order.import, licenses = order.licenses or '0' })
  return begun
end

if order.step == 'begin' then
  -- One at a time: an import takes much of its org's share.
  if redis.call('HLEN', importsKey) > 0 then return false end
  return write('running', text(now))
end
-- At maxmemory what has begun comes to its end all the same: see writeAtMaxmemory in seat.lua.
redis.call('HDEL', importsKey, '')

local state, beat, begun = string.match(redis.call('HGET', importsKey, order.import) or '', '^(%a+):(%d+):(%d+)$')
if not state then return false end
if order.step == 'beat' and state == 'running' then return write('running', begun) end
if order.step == 'commit' and state == 'running' then return close('license.imported', begun) end
if order.step == 'undo' then return write('undoing', begun) end
if order.step == 'takeOver' and now - tonumber(beat) >= order.staleMs then return write('undoing', begun) end
if order.step == 'forget' and state == 'undoing' then return close('license.import_undone', begun) end
return false
