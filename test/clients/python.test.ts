import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Relay } from '../../chaos/relay.js';
import type { Broker } from '../../src/broker.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { faces, PythonSeat, type PythonSeatOptions, TokenServer } from '../support/python-seat.js';
import { useRedis } from '../support/redis.js';
import { seatOnceFree } from '../support/waiting.js';

const redis = useRedis();
const leaseOf = (user: string) => redis.client.exists(`soleseat:{acme}:lease:${user}`);
let node: Broker;
let relay: Relay;
let target: { readonly ports: { readonly public: number } };
let tokens: TokenServer;
const started: PythonSeat[] = [];

beforeAll(async () => {
  node = await startNode(redis.url);
  relay = await Relay.start({ target: () => target.ports.public });
});
afterAll(async () => {
  relay.stop();
  await node.stop();
});
beforeEach(async () => {
  await redis.client.flushall();
  relay.heal();
  target = node;
  tokens = await TokenServer.start(() => tokenFor('ada'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((seat) => seat.process.kill()));
  tokens.stop();
});

describe.each(faces)('the Python library, %s', (face) => {
  const start = (more: Partial<PythonSeatOptions> = {}) => {
    const url = `http://127.0.0.1:${relay.port}`;
    const seat = new PythonSeat(face, tokens, { url, ...more });
    started.push(seat);
    return seat;
  };

  it('takes the seat, is told of a takeover, waits for the person, takes it back and releases it', async () => {
    const seat = start();
    expect(await seat.told('welcome')).toMatchObject({ resumed: false, displaced: null });
    await seat.told('lease');
    expect(seat.holds).toEqual([false, true]);
    const laptop = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    expect((await laptop.told('welcome')).displaced).toEqual({ machine: { name: 'workstation' } });
    expect(await seat.told('evicted')).toMatchObject({ reason: 'taken_over', by: 'laptop' });
    await seat.told('closed');
    await seat.saysHolding(false);

    seat.say('retry');
    expect(await seat.told('conflict')).toMatchObject({ holder: 'laptop', same_machine: false });
    expect(laptop.closed).toBeNull();
    seat.say('takeover');
    expect(await seat.told('welcome', 2)).toMatchObject({ displaced: 'laptop' });
    expect((await laptop.close()).code).toBe(4509);
    await seat.saysHolding(true);
    seat.say('release');
    expect(await seat.process.ended()).toBe(0);
    expect(await leaseOf('ada')).toBe(0);
    expect(seat.holds.at(-1)).toBe(false);
    expect(seat.all('state').map(({ state }) => state)).toEqual([
      'active',
      'evicted',
      'connecting',
      'conflict',
      'active',
      'closed',
    ]);
  });
});
