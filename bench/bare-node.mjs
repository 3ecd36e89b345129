/**
 * The floor that Soleseat is measured against: the least that hands a seat over between two nodes.
 * A verified token, one claim in Redis, a notice to the loser. No renewal, no pings, no log, no metrics.
 */
import { createSecretKey, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { WebSocketServer } from 'ws';

const TTL_MS = 30_000;
const claimScript = `
local old = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if old then redis.call('PUBLISH', old:sub(38), old:sub(1, 36)) end
return old
`;

const key = createSecretKey(Buffer.from(process.env.BENCH_SECRET));
const rules = { algorithms: ['HS256'], issuer: 'soleseat', audience: 'soleseat' };
const channel = `bare:node:${randomUUID()}`;
const sessions = new Map();

const redis = new Redis(process.env.REDIS_URL);
const inbox = new Redis(process.env.REDIS_URL);
const sha = await redis.script('LOAD', claimScript);
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
process.on('disconnect', () => process.exit());

function serve(ws, claims) {
  const sessionId = randomUUID();
  ws.on('error', () => ws.terminate());
  ws.on('close', () => sessions.delete(sessionId));
  ws.once('message', async (data) => {
    const { machine } = JSON.parse(data);
    sessions.set(sessionId, ws);
    await redis.evalsha(sha, 1, `bare:seat:${claims.org}:${claims.sub}`, `${sessionId} ${channel}`, TTL_MS);
    ws.send(JSON.stringify({ type: 'welcome', sessionId, machine: machine.id, ttlMs: TTL_MS }));
  });
}

function evict(sessionId) {
  const ws = sessions.get(sessionId);
  if (ws === undefined) return;
  sessions.delete(sessionId);
  ws.send(JSON.stringify({ type: 'evicted', reason: 'taken_over', at: Date.now() }));
  ws.close(4509, 'taken_over');
}
