import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Relay } from '../../chaos/relay.js';
import type { Broker } from '../../src/broker.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { faces, PythonSeat, type PythonSeatOptions, TokenServer } from '../support/python-seat.js';
import { useRedis } from '../support/redis.js';
import { casesOf } from '../support/scope.js';
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

describe.each(casesOf(faces, (face) => face === 'asyncio'))('the Python library, %s', (face) => {
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

  it('resumes its session after its connection broke, and holds the lease all the while', async () => {
    const seat = start();
    const { session_id } = await seat.told('welcome');
    await seat.told('lease');
    relay.cut({ refuses: false });
    expect(await seat.told('welcome', 2)).toMatchObject({ session_id, resumed: true });
    expect(seat.holds).toEqual([false, true]);
    expect(seat.all('reconnecting')[0]).toMatchObject({ code: 1006, cause: { kind: 'network' } });
  });

  it('stops counting on the seat when its lease ends without a network, and says so once', async () => {
    const seat = start({ options: { connect_timeout_ms: 500 } });
    await seat.told('lease');
    relay.cut({ refuses: true });
    await seat.told('lease_expired');
    await seat.saysHolding(false);
    const laptop = await seatOnceFree(node.ports.public, 'ada', 'laptop');
    relay.heal();
    expect(await seat.told('conflict')).toMatchObject({ holder: 'laptop' });
    expect(laptop.closed).toBeNull();
    expect(seat.all('lease_expired')).toHaveLength(1);
    expect(seat.holds).toEqual([false, true, false]);
    laptop.ws.close();
  });

  it('comes back after the death of its node, with the same session on another one', async () => {
    const dying = await NodeProcess.start(redis.url);
    target = dying;
    const seat = start();
    const { session_id } = await seat.told('welcome');
    await seat.saysHolding(true);
    target = node;
    await dying.kill();
    expect(await seat.told('welcome', 2)).toMatchObject({ session_id, resumed: true });
    expect(seat.holds).toEqual([false, true]);
  });

  it('goes to another node when its own one drains', async () => {
    const leaving = await startNode(redis.url);
    target = leaving;
    const seat = start();
    const { session_id } = await seat.told('welcome');
    await seat.saysHolding(true);
    target = node;
    await leaving.stop();
    expect(await seat.told('welcome', 2)).toMatchObject({ session_id, resumed: true });
    expect(seat.all('reconnecting')[0]).toMatchObject({ code: 1012, cause: { kind: 'close' } });
    expect(seat.holds).toEqual([false, true]);
  });

  it('leaves its seat to its machine when the program is killed, or told to quit', async () => {
    const killed = start();
    await killed.told('welcome');
    await killed.process.kill();
    expect(await leaseOf('ada')).toBe(1);
    const quitting = start({ options: { on_conflict: 'takeover' } });
    await quitting.told('welcome');
    quitting.say('quit');
    expect(await quitting.process.ended()).toBe(0);
    expect(await quitting.told('closed')).toMatchObject({ code: 4000 });
    expect(await leaseOf('ada')).toBe(1);
    const left = start();
    await left.told('welcome');
    left.process.child.stdin?.end();
    expect(await left.process.ended()).toBe(0);
    expect(await leaseOf('ada')).toBe(1);
  });

  it('gives the broker another token before its own ends, on the same connection', async () => {
    let minted = 0;
    tokens.stop();
    tokens = await TokenServer.start(() => tokenFor('ada', 'acme', minted++ === 0 ? 4 : 3600));
    const seat = start();
    await seat.told('welcome');
    await seat.process.printed('need token_expiring');
    const sinceMs = Date.now();
    const leases = seat.all('lease').length;
    // The first token is long over by then.
    await eventually(() => Date.now() - sinceMs > 5_000 && seat.all('lease').length > leases);
    expect(seat.all('reconnecting')).toEqual([]);
    expect(seat.holds).toEqual([false, true]);
  });

  it('takes a token source that hangs for a failed one, and does not act on its late answer', async () => {
    const late: (() => void)[] = [];
    const { answer } = tokens;
    tokens.answer = (response) => late.push(() => answer(response));
    const seat = start({ options: { token_timeout_ms: 300 } });
    expect(await seat.told('error')).toMatchObject({ code: 'token_unavailable' });
    expect(await seat.told('reconnecting')).toMatchObject({ cause: { kind: 'token' } });
    await eventually(() => late.length >= 2);
    tokens.answer = answer;
    await seat.told('welcome');
    for (const respond of late) respond();
    await seat.told('lease', 3);
    expect(seat.all('welcome')).toHaveLength(1);
  });

  it('gives up the release of a seat to a node that stands still after two seconds', async () => {
    const frozen = await NodeProcess.start(redis.url);
    target = frozen;
    const seat = start();
    await seat.told('lease');
    await frozen.freeze();
    const sinceMs = performance.now();
    seat.say('release');
    await seat.saysHolding(false);
    expect(await seat.process.ended()).toBe(0);
    expect(performance.now() - sinceMs).toBeGreaterThan(1_900);
    expect(await seat.told('closed')).toMatchObject({ code: 1006, reason: 'no answer to release' });
    await frozen.kill();
  });

  it('promise 15: stopped until its seat went to another machine, it never believes in what lay in its socket', async () => {
    const seat = start();
    await seat.told('lease');
    seat.process.signal('SIGSTOP');
    const laptop = await seatOnceFree(node.ports.public, 'ada', 'laptop');
    const said = seat.holds.length;
    seat.process.signal('SIGCONT');
    await seat.told('conflict');
    expect(seat.holds.slice(said)).toEqual([false]);
    expect(laptop.closed).toBeNull();
    laptop.ws.close();
  });
});
