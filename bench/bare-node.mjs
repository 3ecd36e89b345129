/**
 * The floor that Soleseat is measured against: the least that does the same job on `ws`, `ioredis` and `jsonwebtoken`,
 * as somebody might write it in an afternoon. A verified token, one claim in Redis, a notice to the loser.
 *
 * It also renews and pings every 10 s, ends who does not answer, gives the seat back at a close, and survives bad JSON:
 * without these its seats would end after 30 s, dead programs would keep them, and one message could stop it.
 * It has no licenses, no counts, no audit trail, no limits, no log, no metrics, no drain, no resume, no answer to
 * a Redis that is out of reach.
 */
import { createSecretKey, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { WebSocketServer } from 'ws';

const TTL_MS = 30_000;
const RENEW_EVERY_MS = 10_000;
const claimScript = `
local old = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if old then redis.call('PUBLISH', old:sub(38), old:sub(1, 36)) end
return old
`;
const renewScript = `return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0`;
const releaseScript = `return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0`;

const key = createSecretKey(Buffer.from(process.env.BENCH_SECRET));
const rules = { algorithms: ['HS256'], issuer: 'soleseat', audience: 'soleseat' };
const channel = `bare:node:${randomUUID()}`;
const sessions = new Map();

const redis = new Redis(process.env.REDIS_URL);
const inbox = new Redis(process.env.REDIS_URL);
const load = (script) => redis.script('LOAD', script);
const [claimSha, renewSha, releaseSha] = await Promise.all(
  [claimScript, renewScript, releaseScript].map(load),
);
inbox.on('message', (_channel, sessionId) => evict(sessionId));
await inbox.subscribe(channel);

const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 16_384 });
const server = createServer();
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  try {
    const token = request.headers.authorization?.slice('Bearer '.length);
    const claims = jwt.verify(token, key, rules);
    wss.handleUpgrade(request, socket, head, (ws) => serve(ws, claims));
  } catch {
    socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
  }
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
  process.send({ port: server.address().port }),
);

function serve(ws, claims) {
  const sessionId = randomUUID();
  const seat = `bare:seat:${claims.org}:${claims.sub}`;
  const lease = `${sessionId} ${channel}`;
  let beat = null;
  ws.on('error', () => ws.terminate());
  ws.on('close', () => {
    clearInterval(beat);
    if (sessions.delete(sessionId)) redis.evalsha(releaseSha, 1, seat, lease).catch(() => {});
  });
  ws.on('pong', () => {
    ws.isAlive = true;
  });
  ws.once('message', async (data) => {
    try {
      const { machine } = JSON.parse(data);
      sessions.set(sessionId, ws);
      await redis.evalsha(claimSha, 1, seat, lease, TTL_MS);
      if (ws.readyState !== ws.OPEN) return;
      ws.isAlive = true;
      beat = setInterval(() => keep(ws, seat, lease), RENEW_EVERY_MS);
      ws.send(JSON.stringify({ type: 'welcome', sessionId, machine: machine.id, ttlMs: TTL_MS }));
    } catch {
      ws.close(4500, 'bad_request');
    }
  });
}

function keep(ws, seat, lease) {
  if (!ws.isAlive) return ws.terminate();
  ws.isAlive = false;
  ws.ping();
  redis.evalsha(renewSha, 1, seat, lease, TTL_MS).catch(() => {});
}

function evict(sessionId) {
  const ws = sessions.get(sessionId);
  if (ws === undefined) return;
  sessions.delete(sessionId);
  ws.send(JSON.stringify({ type: 'evicted', reason: 'taken_over', at: Date.now() }));
  ws.close(4509, 'taken_over');
}
