import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { type ConnectOptions, connect } from '../../packages/client/src/index.js';
import { brokerProof, LeaveRefused, leave, lookAtLeave, newLeave } from '../../packages/client/src/ticket.js';
import { ticketRingFromText } from '../../src/auth/tickets.js';
import { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, keys, testSettings, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ring = ticketRingFromText(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
let redis: RedisProcess;
let nodes: Broker[];
let users = 0;

beforeAll(async () => {
  redis = await testRedis(['--appendonly', 'yes']);
  nodes = [];
  for (let i = 0; i < 2; i += 1) {
    const node = new Broker(testSettings(redis.url), keys, { ticketKeys: ring });
    await node.start();
    nodes.push(node);
  }
  await rules({ askWaitMs: 60_000, leaveMaxMs: 3_600_000 });
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
  await redis?.stop();
});

const base = () => `127.0.0.1:${nodes[0]?.ports.public}`;

async function rules(body: object): Promise<void> {
  const answer = await ask(nodes[0] as Broker, 'PATCH', '/v1/admin/orgs/acme', {
    body,
    token: adminTokenFor('owner'),
  });
  expect(answer.status).toBe(200);
}

function program(user: string, machine: string, at: number, more: Partial<ConnectOptions> = {}) {
  const seat = connect({
    url: `ws://127.0.0.1:${nodes[at]?.ports.public}`,
    getToken: () => tokenFor(user),
    machine: { id: machine, name: machine },
    WebSocket: WebSocket as unknown as NonNullable<ConnectOptions['WebSocket']>,
    ...more,
  });
  const told: string[] = [];
  for (const event of [
    'welcome',
    'conflict',
    'evicted',
    'seatFree',
    'askRefused',
    'takeoverWithdrawn',
    'idleWarning',
    'leaveEnded',
  ] as const)
    seat.on(event, () => told.push(event));
  onTestFinished(() => seat.disconnect());
  return { seat, told, has: (event: string) => eventually(() => told.includes(event)) };
}

const newUser = () => `lib${++users}`;

it('a newcomer asks, the holder answers, and a waiting program takes a free seat', async () => {
  const user = newUser();
  const asked: string[] = [];
  const holder = program(user, 'workstation', 0, {
    onTakeoverRequested: ({ by }) => void asked.push(by.machine.name ?? ''),
  });
  await holder.has('welcome');
  const newcomer = program(user, 'laptop', 1, { onConflict: 'ask' });
  await newcomer.has('conflict');
  await eventually(() => asked.length === 1);
  expect(asked).toEqual(['laptop']);
  holder.seat.answer(false);
  await newcomer.has('askRefused');
  expect(holder.seat.holdsLease()).toBe(true);
  await holder.seat.release();
  await newcomer.has('seatFree');
  newcomer.seat.takeIfFree();
  await newcomer.has('welcome');
  expect(newcomer.seat.holdsLease()).toBe(true);
});

it('a program that tells when a person was at work is warned, kept by activity, and ended for idling', async () => {
  await rules({ idleLimitMs: 2000 });
  let idleMs = 0;
  const { seat, told, has } = program(newUser(), 'pc', 0, { idleMs: () => idleMs });
  await has('idleWarning');
  seat.activity(0);
  await eventually(() => told.filter((one) => one === 'idleWarning').length === 2);
  idleMs = 60_000;
  await has('evicted');
  expect(seat.holdsLease()).toBe(false);
  await rules({ idleLimitMs: null });
});

it('a program with the vendor’s key trusts this broker, and no other', async () => {
  const jwks = await (await fetch(`http://${base()}/v1/keys`)).json();
  const good = program(newUser(), 'pc', 0, { proof: brokerProof(jwks) });
  await good.has('welcome');
  expect(good.seat.holdsLease()).toBe(true);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const [own] = jwks.keys;
  const bad = program(newUser(), 'pc', 0, {
    proof: brokerProof({ keys: [{ ...other, kid: own.kid, alg: 'ES256' }] }),
  });
  await eventually(() => bad.seat.state === 'denied');
  expect(bad.seat.holdsLease()).toBe(false);
});

it('a seat is taken along: the checker believes the ticket, others wait, and the program comes back to its session', async () => {
  const user = newUser();
  const jwks = await (await fetch(`http://${base()}/v1/keys`)).json();
  const first = program(user, 'laptop', 0);
  await first.has('welcome');
  const { sessionId } = first.seat;
  const left = newLeave(await leave(first.seat, 1_800_000));
  expect(first.seat.holdsLease()).toBe(false);
  const look = await lookAtLeave(left, { keys: jwks, machine: 'laptop' });
  expect(look.holds).toBe(true);
  expect((await lookAtLeave(left, { keys: jwks, machine: 'another' })).holds).toBe(false);
  const other = program(user, 'workstation', 1);
  await other.has('conflict');
  expect(other.seat.holdsLease()).toBe(false);
  const back = program(user, 'laptop', 1, { ticket: () => left.ticket });
  await back.has('leaveEnded');
  expect(back.seat.sessionId).toBe(sessionId);
  await back.seat.release();
  await other.has('seatFree');
});

it('a leave that is not allowed leaves the session as it is', async () => {
  await rules({ leaveMaxMs: null });
  const { seat, has } = program(newUser(), 'laptop', 0);
  await has('welcome');
  await expect(leave(seat, 60_000)).rejects.toThrow(LeaveRefused);
  expect(seat.holdsLease()).toBe(true);
  await rules({ leaveMaxMs: 3_600_000 });
});
