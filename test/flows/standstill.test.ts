import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { frame, handshake, opcodes } from '../gateway/raw-socket.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor, UNHURRIED } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

/** Longer than the second after which a node knows that it stood still. */
const FROZEN_MS = 1300;

const redis = useRedis();
let frozen: NodeProcess;
let other: Broker;
let users = 0;
let user = '';

beforeAll(async () => {
  frozen = await NodeProcess.start(redis.url, { ...UNHURRIED, SOLESEAT_HELLO_TIMEOUT_MS: '1000' });
  other = await startNode(redis.url, UNHURRIED);
});
beforeEach(() => {
  user = `user-${users++}`;
});
afterAll(async () => {
  await Promise.all([frozen.kill(), other.stop()]);
});

const hello = { type: 'hello', machine: { id: 'laptop', name: 'laptop' } };

/** The seat as the user is shown it. */
async function holder(): Promise<{ sessionId: string; machine: { name?: string } } | null> {
  const headers = { authorization: `Bearer ${tokenFor(user)}` };
  const response = await fetch(`http://127.0.0.1:${other.ports.public}/v1/session`, { headers });
  return ((await response.json()) as { holder: { sessionId: string; machine: { name?: string } } | null })
    .holder;
}

/** The desktop gets the seat at the node that runs, and nobody is displaced by it. */
async function seatTheDesktop(): Promise<Desktop> {
  const desktop = await Desktop.hello(other.ports.public, user, 'desktop', { onConflict: 'deny' });
  await desktop.told('welcome');
  return desktop;
}

/** Lets the node go on, and waits until it has done what it was going to do: it serves whoever came later. */
async function thaw(): Promise<void> {
  await frozen.thaw(FROZEN_MS);
  await (await Desktop.hello(frozen.ports.public, `${user}-marker`, 'pc')).told('welcome');
}

/** How many connections the node has closed with 4408. */
async function timedOut(): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${frozen.ports.admin}/metrics`)).text();
  return Number(/closes_total\{code="4408"\} (\d+)/.exec(page)?.[1] ?? 0);
}

async function expectKept(desktop: Desktop): Promise<void> {
  expect(await holder()).toMatchObject({ machine: { name: 'desktop' } });
  expect(desktop.received.map(({ type }) => type)).toEqual(['welcome']);
  expect(desktop.closed).toBeNull();
}

describe('promise 15: what lay in the socket of a frozen node takes no seat for a client that has gone', () => {
  it('a hello of a client that closed: another machine, seated meanwhile by `deny`, keeps the seat', async () => {
    const laptop = await Desktop.open(frozen.ports.public, tokenFor(user));
    await frozen.freeze();
    laptop.say(hello);
    laptop.ws.terminate();
    const desktop = await seatTheDesktop();
    await thaw();
    await expectKept(desktop);
  });

  it('a hello of a client that stands still itself: no answer to the ping, closed with 4408', async () => {
    const script = fileURLToPath(new URL('../support/stopped-client.mjs', import.meta.url));
    const args = [script, `ws://127.0.0.1:${frozen.ports.public}/v1/connect`, tokenFor(user)];
    const laptop = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines: string[] = [];
    createInterface({ input: laptop.stdout }).on('line', (line) => lines.push(line));
    await eventually(() => lines.includes('open'));
    const before = await timedOut();
    await frozen.freeze();
    laptop.stdin.write(`${JSON.stringify(hello)}\n`);
    await eventually(() => lines.includes('said'));
    laptop.kill('SIGSTOP');
    const desktop = await seatTheDesktop();
    await thaw();
    await eventually(async () => (await timedOut()) === before + 1);
    await expectKept(desktop);
    laptop.kill('SIGKILL');
    await once(laptop, 'exit');
  });

  it('a takeover that a waiting client pressed before it went', async () => {
    const desktop = await seatTheDesktop();
    const laptop = await Desktop.hello(frozen.ports.public, user, 'laptop', { onConflict: 'deny' });
    await laptop.told('conflict');
    await frozen.freeze();
    laptop.say({ type: 'takeover' });
    laptop.ws.terminate();
    await thaw();
    await expectKept(desktop);
  });

  it.each([
    ['closed', true],
    ['is silent', false],
  ])('a hello behind its handshake, of a client that %s, which lay in the backlog', async (_, isClosed) => {
    await frozen.freeze();
    const laptop = connect(frozen.ports.public, '127.0.0.1').on('error', () => {});
    await once(laptop, 'connect');
    laptop.write(handshake([], [`Authorization: Bearer ${tokenFor(user)}`]));
    laptop.write(frame({ opcode: opcodes.text, payload: JSON.stringify(hello) }));
    if (isClosed) laptop.end();
    const desktop = await seatTheDesktop();
    await thaw();
    await expectKept(desktop);
    laptop.destroy();
  });

  it('a hello of a client that dialled another node meanwhile: its live connection stays', async () => {
    const first = await Desktop.open(frozen.ports.public, tokenFor(user));
    await frozen.freeze();
    first.say({ ...hello, instance: 'process-1', attempt: 1 });
    first.ws.terminate();
    const second = await Desktop.hello(other.ports.public, user, 'laptop', {
      instance: 'process-1',
      attempt: 2,
      onConflict: 'deny',
    });
    const { sessionId } = await second.told('welcome');
    await thaw();
    expect((await holder())?.sessionId).toBe(sessionId);
    expect(second.received.map(({ type }) => type)).toEqual(['welcome']);
    expect(second.closed).toBeNull();
  });
});

describe('after a standstill a client that is still there', () => {
  it('is granted, also where the node stood still for longer than the hello timeout', async () => {
    const laptop = await Desktop.open(frozen.ports.public, tokenFor(user));
    await frozen.freeze();
    laptop.say(hello);
    const desktop = await seatTheDesktop();
    await thaw();
    expect((await laptop.told('welcome')).displaced).toEqual({ machine: { name: 'desktop' } });
    expect((await desktop.told('evicted')).reason).toBe('taken_over');
  });

  it('has its other messages done in their order', async () => {
    const laptop = await Desktop.open(frozen.ports.public, tokenFor(user));
    await frozen.freeze();
    laptop.say(hello);
    laptop.say({ type: 'activity' });
    laptop.say({ type: 'release' });
    await thaw();
    expect(await laptop.close()).toEqual({ code: 1000, reason: 'released' });
    expect(laptop.received.map(({ type }) => type)).toEqual(['welcome']);
    expect(await holder()).toBeNull();
  });

  it('has its release done also when it did not wait for the answer', async () => {
    const laptop = await Desktop.hello(frozen.ports.public, user, 'laptop');
    await laptop.told('welcome');
    await frozen.freeze();
    laptop.say({ type: 'release' });
    laptop.ws.terminate();
    await frozen.thaw(FROZEN_MS);
    await eventually(async () => (await holder()) === null);
  });

  it('and says nothing is closed with 4408, once its socket has been read', async () => {
    const laptop = await Desktop.open(frozen.ports.public, tokenFor(user));
    await frozen.freeze();
    await frozen.thaw(FROZEN_MS);
    expect(await laptop.close()).toEqual({ code: 4408, reason: 'hello_timeout' });
  });
});
