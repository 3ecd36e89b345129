import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask as askAdmin } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
const org = '/v1/admin/orgs/acme';
let nodes: Broker[];
let users = 0;

beforeAll(async () => {
  nodes = [await startNode(redis.url), await startNode(redis.url)];
  await setRules({ askWaitMs: 60_000 });
});
afterEach(async () => setRules({ askWaitMs: 60_000, askRefusal: null }));
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
});

async function setRules(settings: object): Promise<void> {
  const answer = await askAdmin(nodes[0] as Broker, 'PATCH', org, { body: settings });
  expect(answer.status, answer.text).toBe(200);
}

const port = (at: number) => (nodes[at] as Broker).ports.public;
const newUser = () => `user${++users}`;
const count = (desktop: Desktop, type: string) => desktop.received.filter((one) => one.type === type).length;

/** The holder, on the first node, which answers questions. */
async function holderOf(user: string, more: object = { asks: true }, at = 0): Promise<Desktop> {
  const desktop = await Desktop.hello(port(at), user, 'workstation', more);
  await desktop.told('welcome');
  return desktop;
}

/** A newcomer, on the second node, which asks. */
async function newcomerOf(user: string, at = 1, machine = 'laptop'): Promise<Desktop> {
  const desktop = await Desktop.hello(port(at), user, machine, { onConflict: 'ask' });
  await desktop.until(() => desktop.received.length > 0 || desktop.closed !== null);
  return desktop;
}

const grantsOf = async (user: string) => {
  const { body } = await askAdmin(
    nodes[0] as Broker,
    'GET',
    `${org}/events?type=session.granted&user=${user}`,
  );
  return body.items.length;
};

describe('a newcomer that asks', () => {
  it.each([[0], [1]])(
    'over nodes 0 and %i gets the seat at a yes, and the holder is told as ever',
    async (at) => {
      const user = newUser();
      const holder = await holderOf(user);
      const newcomer = await newcomerOf(user, at);
      expect(await newcomer.told('conflict')).toMatchObject({
        holder: { machine: { name: 'workstation' } },
        asking: true,
        waitMs: 60_000,
      });
      const asked = await holder.told('takeover_requested');
      expect(asked).toMatchObject({ by: { machine: { name: 'laptop' } } });
      expect(asked.by.machine).not.toHaveProperty('id');
      expect(newcomer.find('welcome')).toBeUndefined();
      holder.say({ type: 'answer', yield: true });
      const { displaced, epoch } = await newcomer.told('welcome');
      expect(displaced?.machine.name).toBe('workstation');
      expect(await holder.told('evicted')).toMatchObject({ reason: 'taken_over', epoch });
      expect((await holder.close()).code).toBe(4509);
      newcomer.ws.terminate();
    },
  );

  it('is told of a no, and may take the seat all the same; nobody is asked again within the minute', async () => {
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    holder.say({ type: 'answer', yield: false });
    await newcomer.told('ask_refused');
    expect(holder.closed).toBeNull();
    const second = await newcomerOf(user, 1, 'tablet');
    expect(await second.told('conflict')).toMatchObject({ asking: false });
    expect(count(holder, 'takeover_requested')).toBe(1);
    newcomer.say({ type: 'takeover' });
    await newcomer.told('welcome');
    expect((await holder.close()).code).toBe(4509);
    newcomer.ws.terminate();
  });

  it('may not take it after a no that is final, nor may another machine by its first hello', async () => {
    await setRules({ askRefusal: 'final' });
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    holder.say({ type: 'answer', yield: false });
    await newcomer.told('ask_refused');
    newcomer.say({ type: 'takeover' });
    await eventually(() => count(newcomer, 'conflict') === 2);
    const other = await Desktop.hello(port(0), user, 'tablet', {});
    await other.told('conflict');
    expect(holder.closed).toBeNull();
  });

  it('gets the seat when the time is over, and not before', async () => {
    await setRules({ askWaitMs: 3000 });
    const user = newUser();
    const holder = await holderOf(user);
    const sinceMs = performance.now();
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    await newcomer.told('welcome');
    expect(performance.now() - sinceMs).toBeGreaterThan(2900);
    expect((await holder.close()).code).toBe(4509);
  });

  it('waits longer where the holder says that it needs time', async () => {
    await setRules({ askWaitMs: 2500 });
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    const sinceMs = performance.now();
    holder.say({ type: 'answer', yield: true, needMs: 5000 });
    await eventually(() => count(newcomer, 'conflict') === 2);
    const again = newcomer.received.filter((one) => one.type === 'conflict').at(-1);
    expect(again).toMatchObject({ asking: true });
    expect((again as { waitMs: number }).waitMs).toBeGreaterThan(4000);
    await newcomer.told('welcome');
    expect(performance.now() - sinceMs).toBeGreaterThan(4900);
  });

  it('whose takeover crosses the yes has done nothing wrong; one that nothing explains is a strike', async () => {
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    holder.say({ type: 'answer', yield: true });
    await newcomer.told('welcome');
    newcomer.say({ type: 'takeover' });
    newcomer.say({ type: 'takeover' });
    await newcomer.told('lease');
    expect(count(newcomer, 'error')).toBe(0);
    const other = await holderOf(newUser());
    other.say({ type: 'takeover' });
    expect(await other.told('error')).toMatchObject({ code: 'bad_message' });
  });

  it('gets it at once from a holder that cannot be asked, or that is not there', async () => {
    const user = newUser();
    const holder = await holderOf(user, {});
    const newcomer = await newcomerOf(user);
    await newcomer.told('welcome');
    expect(holder.find('takeover_requested')).toBeUndefined();
    const nobody = await newcomerOf(newUser());
    expect((await nobody.told('welcome')).displaced).toBeUndefined();
  });

  it('gets it where the question reaches nobody within two seconds', async () => {
    const user = newUser();
    const holder = await holderOf(user);
    // The program has gone without a word, and its lease stands.
    holder.ws.terminate();
    await eventually(async () => (await redis.client.exists(`soleseat:{acme}:lease:${user}`)) === 1);
    const newcomer = await newcomerOf(user);
    expect((await newcomer.told('conflict')).asking).toBe(true);
    await newcomer.told('welcome');
  });

  it('gets it at once when the holder releases meanwhile', async () => {
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    holder.say({ type: 'release' });
    await newcomer.told('welcome');
    expect(newcomer.find('welcome')?.displaced).toBeUndefined();
  });

  it('that goes withdraws its question: the holder keeps the seat, also after it asked for time', async () => {
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    holder.say({ type: 'answer', yield: true, needMs: 30_000 });
    await eventually(() => count(newcomer, 'conflict') === 2);
    newcomer.ws.terminate();
    await holder.told('takeover_withdrawn');
    expect(holder.closed).toBeNull();
    expect(await redis.client.exists(`soleseat:{acme}:ask:${user}`)).toBe(0);
  });

  it('asks a holder that resumes on another node once more, with the time left', async () => {
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    holder.ws.terminate();
    const { sessionId, epoch } = await holder.told('welcome');
    const again = await Desktop.hello(port(1), user, 'workstation', {
      resume: { sessionId, epoch },
      onConflict: 'deny',
      asks: true,
    });
    expect((await again.told('welcome')).resumed).toBe(true);
    expect((await again.told('takeover_requested')).answerWithinMs).toBeLessThan(60_000);
    again.say({ type: 'answer', yield: true });
    await newcomer.told('welcome');
    expect((await again.close()).code).toBe(4509);
  });

  it('loses its question to a third machine that takes the seat', async () => {
    const user = newUser();
    const holder = await holderOf(user);
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    const third = await Desktop.hello(port(0), user, 'tablet', {});
    await third.told('welcome');
    expect((await holder.close()).code).toBe(4509);
    expect(newcomer.find('welcome')).toBeUndefined();
    third.say({ type: 'release' });
    await eventually(
      () => count(newcomer, 'seat_free') + count(newcomer, 'welcome') + count(newcomer, 'conflict') > 1,
    );
  });

  it.each([0, 1, 2])(
    'at the last millisecond: exactly one has the seat, and all know (round %i)',
    async (round) => {
      await setRules({ askWaitMs: 2500 });
      const user = newUser();
      const holder = await holderOf(user);
      const newcomer = await newcomerOf(user);
      await holder.told('takeover_requested');
      await new Promise((resolve) => setTimeout(resolve, 2480 + round * 12));
      holder.say({ type: 'answer', yield: false });
      await eventually(
        () => newcomer.find('welcome') !== undefined || newcomer.find('ask_refused') !== undefined,
      );
      if (newcomer.find('welcome') !== undefined) expect((await holder.close()).code).toBe(4509);
      else expect(holder.closed).toBeNull();
      expect(await grantsOf(user)).toBe(newcomer.find('welcome') === undefined ? 1 : 2);
    },
  );

  it('counts as one that takes over: two that ask each other for ever are told to stop', async () => {
    const strict = await startNode(redis.url, { SOLESEAT_TAKEOVERS_PER_MINUTE: '2' });
    const user = newUser();
    await holderOf(user);
    const closes: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const newcomer = await Desktop.hello(strict.ports.public, user, `m${i}`, { onConflict: 'ask' });
      await newcomer.until(() => newcomer.received.length > 0 || newcomer.closed !== null);
      if (newcomer.find('conflict') === undefined) closes.push((await newcomer.close()).reason);
      else newcomer.ws.terminate();
      await eventually(async () => (await redis.client.exists(`soleseat:{acme}:ask:${user}`)) === 0);
    }
    expect(closes).toEqual(['flapping']);
    await strict.stop();
  });
});

describe('an answer that fits no question', () => {
  it('is ignored, and no strike', async () => {
    const holder = await holderOf(newUser());
    for (let i = 0; i < 5; i += 1) holder.say({ type: 'answer', yield: i % 2 === 0 });
    await holder.told('lease');
    expect(holder.closed).toBeNull();
    expect(count(holder, 'error')).toBe(0);
  });
});

describe('a node that dies', () => {
  it('of whoever asks: the holder hears that it keeps the seat', async () => {
    await setRules({ askWaitMs: 1000 });
    const user = newUser();
    const holder = await holderOf(user);
    const other = await NodeProcess.start(redis.url, { SOLESEAT_LICENSE_MODE: 'open' });
    const newcomer = await Desktop.hello(other.ports.public, user, 'laptop', { onConflict: 'ask' });
    await newcomer.told('conflict');
    await holder.told('takeover_requested');
    other.kill();
    await holder.told('takeover_withdrawn');
    expect(holder.closed).toBeNull();
    await other.stop();
  });

  it('of the holder: whoever asks gets the seat when the time is over', async () => {
    await setRules({ askWaitMs: 3000 });
    const user = newUser();
    const other = await NodeProcess.start(redis.url, { SOLESEAT_LICENSE_MODE: 'open' });
    const holder = await Desktop.hello(other.ports.public, user, 'workstation', { asks: true });
    await holder.told('welcome');
    const newcomer = await newcomerOf(user);
    await holder.told('takeover_requested');
    other.kill();
    await newcomer.told('welcome');
    await other.stop();
  });
});

describe('whoever waits after a conflict', () => {
  const waiterOf = async (user: string, machine: string, at = 1) => {
    const desktop = await Desktop.hello(port(at), user, machine, { onConflict: 'deny' });
    await desktop.told('conflict');
    return desktop;
  };

  it.each(['release', 'evict', 'expire'] as const)('is told when the seat is free: %s', async (how) => {
    const user = newUser();
    const holder = await holderOf(user, {});
    const [one, other] = [await waiterOf(user, 'laptop'), await waiterOf(user, 'tablet', 0)];
    if (how === 'release') holder.say({ type: 'release' });
    else if (how === 'evict')
      await askAdmin(nodes[0] as Broker, 'POST', `${org}/sessions/${user}/evict`, { body: {} });
    else holder.ws.terminate();
    await one.told('seat_free');
    await other.told('seat_free');
    one.say({ type: 'takeover', ifFree: true });
    await one.told('welcome');
    other.say({ type: 'takeover', ifFree: true });
    await eventually(() => count(other, 'conflict') === 2);
    expect(one.closed).toBeNull();
    // It still waits.
    one.say({ type: 'release' });
    await eventually(() => count(other, 'seat_free') === 2);
  });

  it('displaces nobody with ifFree, and somebody without', async () => {
    const user = newUser();
    const holder = await holderOf(user, {});
    const waiter = await waiterOf(user, 'laptop');
    waiter.say({ type: 'takeover', ifFree: true });
    await eventually(() => count(waiter, 'conflict') === 2);
    expect(holder.closed).toBeNull();
    waiter.say({ type: 'takeover', ifFree: false });
    await waiter.told('welcome');
    expect((await holder.close()).code).toBe(4509);
  });

  it('is one of the newest eight, and is forgotten when it goes', async () => {
    const user = newUser();
    const holder = await holderOf(user, {});
    const waiters: Desktop[] = [];
    for (let i = 0; i < 10; i += 1) waiters.push(await waiterOf(user, `m${i}`));
    const key = `soleseat:{acme}:waiters:${user}`;
    expect(await redis.client.hlen(key)).toBe(8);
    waiters[9]?.ws.terminate();
    await eventually(async () => (await redis.client.hlen(key)) === 7);
    holder.say({ type: 'release' });
    await waiters[8]?.told('seat_free');
    expect(waiters[0]?.find('seat_free')).toBeUndefined();
    expect(await redis.client.pttl(key)).toBeGreaterThan(0);
  });

  it('and resumes nothing: the seat that it takes is a new session', async () => {
    const user = newUser();
    const holder = await holderOf(user, {});
    const waiter = await waiterOf(user, 'laptop');
    const { sessionId } = await holder.told('welcome');
    holder.say({ type: 'release' });
    await waiter.told('seat_free');
    waiter.say({ type: 'takeover', ifFree: true });
    const welcome = await waiter.told('welcome');
    expect(welcome.resumed).toBe(false);
    expect(welcome.sessionId).not.toBe(sessionId);
  });
});
