import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectOptions, SessionClient } from '../../packages/client/src/node.js';
import { eventually } from '../support/eventually.js';
import { observe, ScriptedBroker, sessionId, welcome } from './scripted-broker.js';

const takenOver = { type: 'evicted', reason: 'taken_over', at: 1, epoch: 8 } as const;
const conflict = {
  type: 'conflict',
  holder: { machine: { name: 'Laptop' }, since: 1 },
  elapsedMs: 0,
} as const;
const renewed = (elapsedMs: number, ttlMs = 27_000) =>
  ({ type: 'lease', epoch: 7, ttlMs, elapsedMs }) as const;

/** The clocks of a machine that can sleep. */
class Clocks {
  private monoMs = 0;
  private wallMs = 0;

  /** Time goes by, and this process sees nothing of it. */
  pass(ms: number): void {
    this.monoMs += ms;
    this.wallMs += ms;
  }

  /** The machine sleeps, and its monotonic clock stands still. */
  sleep(ms: number): void {
    this.wallMs += ms;
  }

  now = (): number => performance.now() + this.monoMs;
  wall = (): number => performance.now() + this.wallMs;
}

let broker: ScriptedBroker;
let clocks: Clocks;
const clients: SessionClient[] = [];

beforeEach(async () => {
  broker = await ScriptedBroker.start();
  clocks = new Clocks();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
  broker.stop();
});

function start(options: Partial<ConnectOptions> = {}) {
  const observed = observe(broker.url, { clock: clocks, ...options });
  clients.push(observed.client);
  return observed;
}

async function seated(ttlMs = 27_000, options: Partial<ConnectOptions> = {}) {
  const observed = start(options);
  const visit = await broker.visit(1);
  await visit.hello();
  visit.say(welcome({ ttlMs, elapsedMs: 0 }));
  await observed.state('active');
  expect(observed.client.holdsLease()).toBe(true);
  return { ...observed, visit };
}

/** The client has handled what was said before. */
async function settled(observed: Awaited<ReturnType<typeof seated>>): Promise<void> {
  const before = observed.all('error').length;
  observed.visit.say({ type: 'error', code: 'unsupported', message: 'said last' });
  await eventually(() => observed.all('error').length > before);
}

describe('promise 15: a lease message that lay unread', () => {
  it('brings nothing back to life, and the session is resumed on another connection', async () => {
    const observed = await seated();
    const { client, visit, all, event } = observed;
    clocks.pass(40_000);
    visit.say(renewed(10_000), renewed(20_000));
    await settled(observed);
    expect([client.holdsLease(), all('lease')]).toEqual([false, []]);
    expect(all('leaseExpired')).toHaveLength(1);
    expect(await (await broker.visit(2)).hello()).toMatchObject({
      onConflict: 'deny',
      resume: { sessionId, epoch: 7 },
      attempt: 2,
    });
    await event('reconnecting');
    expect([client.holdsLease(), all('reconnecting').length]).toEqual([false, 1]);
    (await broker.visit(2)).say(welcome({ resumed: true, elapsedMs: 0 }));
    await eventually(() => client.holdsLease());
  });

  it('counts for what is left of it, and is no sign that the connection is well', async () => {
    const observed = await seated(27_000, { backoff: { firstMs: 20, maxMs: 10_000 }, random: () => 0.5 });
    const { client, all } = observed;
    observed.visit.cut();
    const visit = await broker.visit(2);
    await visit.hello();
    visit.say(welcome({ resumed: true, elapsedMs: 0 }));
    await eventually(() => all('welcome').length === 2);
    clocks.pass(22_000);
    visit.say(renewed(10_000));
    await settled({ ...observed, visit });
    expect(all('lease')).toEqual([
      { epoch: 7, ttlMs: expect.closeTo(15_000, -3), deadline: expect.any(Number) },
    ]);
    expect(client.leaseDeadline).toBeCloseTo(performance.now() + 15_000, -3);
    await (await broker.visit(3)).hello();
    expect(client.holdsLease()).toBe(true);
    expect(all('reconnecting')).toMatchObject([{ inMs: 10 }, { inMs: 20 }]);
  });

  it('does not hide the eviction that lies behind it', async () => {
    const observed = await seated();
    const { client, visit, all, event } = observed;
    clocks.pass(40_000);
    visit.say(renewed(10_000));
    await event('leaseExpired');
    visit.say(takenOver);
    visit.close(4509, 'taken_over');
    await event('closed');
    await sleep(500);
    expect([client.state, all('lease'), all('reconnecting'), broker.visits.length]).toEqual([
      'evicted',
      [],
      [],
      1,
    ]);
  });

  it('gives nothing after a sleep, though the monotonic clock stood still', async () => {
    const observed = await seated();
    const { client, visit, all } = observed;
    clocks.sleep(3_600_000);
    expect(client.holdsLease()).toBe(false);
    visit.say(renewed(10));
    await settled(observed);
    expect([client.holdsLease(), all('lease'), all('leaseExpired').length]).toEqual([false, [], 1]);
    expect((await (await broker.visit(2)).hello()).resume?.sessionId).toBe(sessionId);
  });

  it('is not believed where its age cannot be read', async () => {
    const observed = await seated(1_000);
    observed.visit.sayText('{"type":"lease","epoch":7,"ttlMs":27000,"elapsedMs":"1000"}');
    observed.visit.sayText('{"type":"lease","epoch":8,"ttlMs":500,"elapsedMs":null}');
    await settled(observed);
    expect([observed.client.epoch, observed.all('lease').length]).toEqual([8, 1]);
  });
});

describe('promise 15: the lease', () => {
  it('counts from the hello that was answered, however late the answer comes', async () => {
    const { client, state } = start();
    const visit = await broker.visit(1);
    await visit.hello();
    clocks.pass(2_000);
    visit.say(welcome({ ttlMs: 9_000, elapsedMs: 0 }));
    await state('active');
    expect(client.leaseDeadline).toBeCloseTo(performance.now() + 7_000, -3);
  });

  it('counts from the take-over that was answered, not from the hello an hour ago', async () => {
    const { client, event, state } = start({ onConflict: 'deny' });
    const visit = await broker.visit(1);
    visit.say(conflict);
    await event('conflict');
    // The client's clock runs fast: reckoned from the hello, the lease would have passed.
    clocks.pass(3_610_000);
    client.takeOver();
    await visit.until('takeover');
    clocks.pass(2_000);
    visit.say(welcome({ ttlMs: 9_000, elapsedMs: 3_600_000 }));
    await state('active');
    expect(client.leaseDeadline).toBeCloseTo(performance.now() + 7_000, -3);
  });

  it('outlives its connection, and no reckoning of that connection does', async () => {
    const { client, visit } = await seated();
    clocks.pass(5_000);
    visit.cut();
    await (await broker.visit(2)).hello();
    expect(client.leaseDeadline).toBeCloseTo(performance.now() + 22_000, -3);
    (await broker.visit(2)).say(welcome({ resumed: true, elapsedMs: 0, ttlMs: 9_000 }));
    await eventually(() => (client.leaseDeadline ?? 0) < performance.now() + 10_000);
    expect(client.leaseDeadline).toBeCloseTo(performance.now() + 9_000, -3);
  });

  it('passes in jeopardy without a reconnect, for as long as the node tries', async () => {
    const { client, visit, event, all } = await seated(500);
    // Far longer than what is looked at, as this process may get its turn late.
    visit.say({ type: 'jeopardy', graceMs: 6_000, elapsedMs: 10 });
    await event('leaseExpired');
    await sleep(1_000);
    expect([client.state, client.holdsLease(), all('reconnecting')]).toEqual(['jeopardy', false, []]);
    await event('reconnecting');
    await (await broker.visit(2)).hello();
    expect(all('reconnecting')).toHaveLength(1);
  });

  it('is over when a welcome comes that has nothing left', async () => {
    const { client, event, all } = start();
    const visit = await broker.visit(1);
    await visit.hello();
    clocks.pass(9_000);
    visit.say(welcome({ ttlMs: 8_000, elapsedMs: 0 }));
    await event('leaseExpired');
    expect([client.holdsLease(), all('welcome').length]).toEqual([false, 1]);
    expect((await (await broker.visit(2)).hello()).resume?.sessionId).toBe(sessionId);
  });

  it('makes one reconnect where the broker falls silent, though the heartbeat misses it too', async () => {
    const { visit, event, all } = await seated(5_100, {
      backoff: { firstMs: 1_000, maxMs: 1_000 },
      random: () => 0.9,
    });
    visit.say({ ...welcome({ ttlMs: 5_100, elapsedMs: 0 }), renewEveryMs: 10 });
    await event('reconnecting');
    await (await broker.visit(2)).hello();
    expect(all('reconnecting')).toHaveLength(1);
  });
});
