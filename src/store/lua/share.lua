-- share: the programs of one machine that hold a session together (`sameMachine: share`). While two or more do, the hash
-- `sharers` has them, by instance, and the lease says `shared`: otherwise it is still the lease of one of them. Joining is
-- no grant: session, epoch and rank stay as they are. What ends the session ends it for all. Stands after seat.lua before the scripts that let a program join or go.

-- A table, as Lua allows 200 local names in a script, and claim.lua has nearly as many.
local sharing = { most = 16 }

-- What is kept of a program that shares, as it stands in a lease or in an order.
function sharing.put(instance, of, client)
  redis.call('HSET', sharersKey, instance, cjson.encode({
    nodeId = of.nodeId, connection = of.connection, client = client, attempt = of.attempt and text(of.attempt),
    iat = of.iat and text(of.iat), jti = of.jti, idle = of.idle or of.idleMs and '1', asks = of.asks,
  }))
end

-- The lease is of this program from now on.
function sharing.lead(holder, instance, sharer)
  holder.instance, holder.nodeId, holder.connection = instance, sharer.nodeId, sharer.connection
  holder.attempt, holder.client = tonumber(sharer.attempt), sharer.client
  holder.iat, holder.jti = tonumber(sharer.iat), sharer.jti
end

function sharing.find(holder, instance)
  local value = holder and holder.shared and instance and redis.call('HGET', sharersKey, instance)
  return value and cjson.decode(value) or nil
end

function sharing.hasRoom(holder)
  return not holder.shared or redis.call('HLEN', sharersKey) < sharing.most
end

function sharing.orderedClient()
  return order.client and cjson.decode(order.client) or nil
end

-- The program of the order holds the session of `holder` too; `isHere`: it did before, over an older connection. Gives the
-- lease as it is now. Its epoch is raised where it is of an older reign, or where the program has seen a higher one. A
-- person's act that is newer than the reign counts as such (promise 8): a grant that Redis lost may come back.
function sharing.join(holder, isHere, isAhead, isAct)
  local first = readReign().first
  isAct = isAct and holder.rank < first
  if isAct or isAhead or holder.epoch < first then holder.epoch = nextEpoch(holder.epoch) end
  if isAct then
    holder.rank = holder.epoch
    raiseFence(holder.rank, 'taken_over')
  end
  if not holder.shared then
    redis.call('DEL', sharersKey)
    sharing.put(holder.instance, holder, holder.client)
    notify(holder, { type = 'shared', instance = holder.instance })
    holder.shared = '1'
  end
  sharing.put(order.instance, order, sharing.orderedClient())
  if order.instance == holder.instance then sharing.lead(holder, order.instance, sharing.find(holder, order.instance)) end
  holder.asks = holder.asks or order.asks
  holder.idle = holder.idle or (order.idleMs or order.idle) and '1'
  local value = leaseValue(holder)
  redis.call('SET', leaseKey, value, 'PX', order.ttlMs)
  enterActive(value)
  if order.idleMs then redis.call('ZADD', idleKey, 'GT', text(now - order.idleMs), order.user) end
  if isHere then return end
  count('joined')
  note('session.joined', {
    actor = 'user', machine = order.machineId, sessionId = holder.sessionId, epoch = text(holder.epoch),
    node = order.nodeId,
  })
end

-- The program came back over a newer connection: its older one is told, and no other. Gives what the answer tells of it.
function sharing.supersede(holder, sharer)
  if sharer.connection == order.connection then return nil end
  local older = { sessionId = holder.sessionId, epoch = holder.epoch, connection = sharer.connection, nodeId = sharer.nodeId }
  if older.nodeId ~= order.nodeId then
    notify(older, { reason = 'superseded', byEpoch = text(holder.epoch) }, order.machine)
  end
  older.epoch, older.reason, older.machine = text(holder.epoch), 'superseded', holder.machine
  return older
end

-- The program goes; the others hold the session on. Gives how many they are; nil where this connection is not, or no more,
-- one of those that hold it.
function sharing.takeOut(holder, reason)
  local own = sharing.find(holder, order.instance)
  if not own or own.connection ~= order.connection then return nil end
  redis.call('HDEL', sharersKey, order.instance)
  local left = redis.call('HGETALL', sharersKey)
  if #left == 0 then return 0 end
  holder.asks = nil
  for i = 2, #left, 2 do holder.asks = holder.asks or cjson.decode(left[i]).asks end
  if holder.instance == order.instance or #left == 2 then sharing.lead(holder, left[1], cjson.decode(left[2])) end
  if #left == 2 then
    holder.shared = nil
    redis.call('DEL', sharersKey)
  end
  local value = leaseValue(holder)
  redis.call('SET', leaseKey, value, 'KEEPTTL')
  redis.call('HSET', heldKey, order.user, value)
  count('left')
  note('session.left', {
    actor = reason == 'lost' and 'broker' or 'user', reason = reason, machine = holder.machine.id, sessionId = holder.sessionId,
    epoch = text(holder.epoch), node = order.nodeId,
  })
  return #left / 2
end
