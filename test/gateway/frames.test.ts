import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SettingTexts } from '../../src/base/settings.js';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { closeFrame, frame, opcodes, RawPeer } from './raw-socket.js';

const { continuation, text, binary, close, ping, pong } = opcodes;
const MESSAGE_BYTES = 2048;

let redis: RedisProcess;
let node: Broker;
let bystander: Desktop;
const others: Broker[] = [];

beforeAll(async () => {
  redis = await testRedis();
  node = await startNode(redis.url, { SOLESEAT_MESSAGE_BYTES: String(MESSAGE_BYTES) });
  bystander = await Desktop.hello(node.ports.public, 'bystander', 'workstation');
  await bystander.told('welcome');
});
afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.stop()));
});
afterAll(async () => {
  await node.stop();
  await redis.stop();
});

async function otherNode(more: SettingTexts): Promise<Broker> {
  const other = await startNode(redis.url, more);
  others.push(other);
  return other;
}

/** A raw peer with a seat. */
async function seated({ ports }: Broker, user: string): Promise<RawPeer> {
  const peer = await RawPeer.open(ports.public, tokenFor(user));
  peer.say({ type: 'hello', machine: { id: 'raw' } });
  await peer.told('welcome');
  return peer;
}

async function closesCounted({ metrics }: Broker, code: number): Promise<number> {
  const { values } = await metrics.closes.get();
  return values.find(({ labels }) => labels.code === code)?.value ?? 0;
}

const start = (payload: string) => frame({ opcode: text, payload, isFinal: false });
const middle = (payload: string | Buffer) => frame({ opcode: continuation, payload, isFinal: false });
const half = 'x'.repeat(MESSAGE_BYTES / 2 + 1);
const badCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000];

describe('a peer that sends', () => {
  it.each<readonly [string, number, readonly Buffer[]]>([
    ['an unmasked frame', 1002, [frame({ opcode: text, payload: '{}', isMasked: false })]],
    ['RSV1', 1002, [frame({ opcode: text, payload: '{}', rsv: 4 })]],
    ['RSV2', 1002, [frame({ opcode: text, payload: '{}', rsv: 2 })]],
    ['RSV3', 1002, [frame({ opcode: text, payload: '{}', rsv: 1 })]],
    ['RSV1 on a ping', 1002, [frame({ opcode: ping, rsv: 4 })]],
    ['opcode 3', 1002, [frame({ opcode: 3 })]],
    ['opcode B', 1002, [frame({ opcode: 11 })]],
    ['a fragmented ping', 1002, [frame({ opcode: ping, isFinal: false })]],
    ['a ping of 126 bytes', 1002, [frame({ opcode: ping, payload: 'x'.repeat(126) })]],
    ['a close of one byte', 1002, [frame({ opcode: close, payload: 'x' })]],
    ...badCodes.map((code) => [`close code ${code}`, 1002, [closeFrame(code)]] as const),
    ['an orphan continuation', 1002, [frame({ opcode: continuation, payload: 'x' })]],
    ['a text frame inside fragments', 1002, [start('{'), frame({ opcode: text, payload: '}' })]],
    ['bad UTF-8', 1007, [frame({ opcode: text, payload: Buffer.from('22ff22', 'hex') })]],
    ['a lone surrogate', 1007, [frame({ opcode: text, payload: Buffer.from('22eda08022', 'hex') })]],
    [
      'bad UTF-8 in fragments',
      1007,
      [start('"'), frame({ opcode: continuation, payload: Buffer.from('ff', 'hex') })],
    ],
    ['bad UTF-8 in a close reason', 1007, [closeFrame(1000, Buffer.from('ff', 'hex'))]],
    ['a message that is too large', 1009, [frame({ opcode: text, payload: 'x'.repeat(MESSAGE_BYTES + 1) })]],
    ['fragments that are too large together', 1009, [start(half), middle(half)]],
    ['a length of 2^40', 1009, [frame({ opcode: text, claimedLength: 2n ** 40n })]],
    ['a length of 2^63', 1009, [frame({ opcode: text, claimedLength: 2n ** 63n })]],
    ['too many fragments', 1008, [start('"'), ...Array.from({ length: 64 }, () => middle('x'))]],
    ['too many empty fragments', 1008, [start(''), ...Array.from({ length: 64 }, () => middle(''))]],
    ['a binary frame', 1003, [frame({ opcode: binary, payload: '{}' })]],
  ])('%s is closed with %i', async (what, code, frames) => {
    const counted = await closesCounted(node, code);
    const peer = await seated(node, what);
    peer.write(...frames);
    expect(await peer.closed()).toBe(code);
    expect(await closesCounted(node, code)).toBe(counted + 1);
    peer.socket.destroy();
  });

  it('a broken frame and then keeps the connection open is cut off', async () => {
    const peer = await seated(node, 'lingering');
    peer.write(frame({ opcode: 3 }));
    expect(await peer.closed()).toBe(1002);
    await peer.until(() => peer.isCutOff);
    const again = await Desktop.hello(node.ports.public, 'lingering', 'raw');
    await again.told('welcome');
  });

  it('a good close is answered with its code', async () => {
    const peer = await seated(node, 'leaving');
    peer.write(closeFrame(1000, 'bye'));
    expect(await peer.closed()).toBe(1000);
  });

  it('a message in fragments with a ping between is understood', async () => {
    const peer = await RawPeer.open(node.ports.public, tokenFor('fragments'));
    const rest = frame({ opcode: continuation, payload: '"hello","machine":{"id":"raw"}}' });
    peer.write(start('{"type":'), frame({ opcode: ping, payload: 'p' }), rest);
    await peer.told('welcome');
    peer.socket.destroy();
  });

  it.each<readonly [string, Buffer]>([
    ['a flood of pings', frame({ opcode: ping })],
    ['a flood of pongs', frame({ opcode: pong })],
    ['a flood of messages', frame({ opcode: text, payload: '{"type":"activity"}' })],
  ])('%s is closed with 4429 and told when to come back', async (what, one) => {
    const peer = await seated(await otherNode({ SOLESEAT_RENEW_EVERY_MS: '1500' }), what);
    peer.write(...Array.from({ length: 300 }, () => one));
    expect(await peer.closed()).toBe(4429);
    const notice = peer.texts.find((said) => said.includes('rate_limited')) ?? '{}';
    expect(JSON.parse(notice)).toMatchObject({ type: 'error', retryAfterMs: expect.any(Number) });
  });

  it('too much is read no further', async () => {
    const target = await otherNode({});
    const peer = await seated(target, 'hose');
    const flood = Buffer.alloc(64 * 1024, frame({ opcode: ping, payload: 'x'.repeat(125) }));
    peer.write(...Array.from({ length: 10 }, () => flood));
    await eventually('the code that says why', async () => (await closesCounted(target, 4429)) === 1);
    // More than two kernels hold.
    for (let sent = 0; sent < 512; sent += 1) peer.write(flood);
    const isAllSent = new Promise((resolve) => peer.socket.write('.', (error) => resolve(!error)));
    expect(await isAllSent).toBe(false);
  });

  it('and never reads is closed with 4008', async () => {
    const target = await otherNode({
      SOLESEAT_QUEUE_BYTES: '1024',
      SOLESEAT_MESSAGES_PER_RENEWAL: '1000000000',
    });
    const peer = await seated(target, 'deaf');
    peer.socket.pause();
    // Each ping has its pong, until neither kernel takes any more and the node has to hold them.
    const pings = Buffer.concat(
      Array.from({ length: 4000 }, () => frame({ opcode: ping, payload: 'x'.repeat(125) })),
    );
    await eventually(async () => {
      peer.write(pings);
      peer.say({ type: 'activity' });
      return peer.socket.destroyed || (await closesCounted(target, 4008)) === 1;
    });
    expect(await closesCounted(target, 4008)).toBe(1);
    peer.socket.destroy();
  });

  // [broker-no-pong]
  it('no answer to pings is closed with 4014', async () => {
    const peer = await seated(await otherNode({ SOLESEAT_RENEW_EVERY_MS: '100' }), 'mute');
    expect(await peer.closed()).toBe(4014);
  });

  it('no hello is closed with 4408', async () => {
    const { ports } = await otherNode({ SOLESEAT_HELLO_TIMEOUT_MS: '100' });
    const peer = await RawPeer.open(ports.public, tokenFor('silent'));
    expect(await peer.closed()).toBe(4408);
  });

  it('half a hello is closed with 4408', async () => {
    const { ports } = await otherNode({ SOLESEAT_HELLO_TIMEOUT_MS: '100' });
    const peer = await RawPeer.open(ports.public, tokenFor('slow'));
    peer.write(start('{"type":'));
    expect(await peer.closed()).toBe(4408);
  });

  it('any of the above touches no other session', async () => {
    const leases = bystander.received.filter(({ type }) => type === 'lease').length;
    await bystander.until(() => bystander.received.filter(({ type }) => type === 'lease').length > leases);
    expect(bystander.closed).toBeNull();
    expect(bystander.received.every(({ type }) => type === 'welcome' || type === 'lease')).toBe(true);
  });
});
