import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HelloMessage } from '../../packages/client/src/protocol/messages.js';
import type { Broker } from '../../src/broker.js';
import { ask as askAdmin } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';
import { signed } from './signed.js';

const redis = useRedis();
const org = '/v1/admin/orgs/acme';
let nodes: Broker[];
let users = 0;

beforeAll(async () => {
  nodes = [await startNode(redis.url), await startNode(redis.url)];
  await setRules({ sameMachine: 'share' });
});
afterEach(async () => setRules({ sameMachine: 'share', idleLimitMs: null, leaveMaxMs: null }));
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
});

async function setRules(settings: object): Promise<void> {
  const answer = await askAdmin(nodes[0] as Broker, 'PATCH', org, { body: settings });
  expect(answer.status, answer.text).toBe(200);
}

const port = (at: number) => (nodes[at] as Broker).ports.public;
const newUser = () => `user${++users}`;
const key = (name: string, user: string) => `soleseat:{acme}:${name}:${user}`;

/** A program of the workstation: its first hello is a person's act. */
async function program(
  user: string,
  instance: string,
  at: number | Pick<Broker, 'ports'> = 0,
  more: Partial<HelloMessage> = {},
): Promise<Desktop> {
  const place = typeof at === 'number' ? port(at) : at.ports.public;
  return Desktop.hello(place, user, 'workstation', { instance, attempt: 1, ...more });
}

/** Two programs that hold one session, at a node each. */
async function pair(user: string, more: Partial<HelloMessage> = {}) {
  const first = await program(user, 'first', 0, more);
  const { sessionId, epoch } = await first.told('welcome');
  const second = await program(user, 'second', 1, more);
  const welcome = await second.told('welcome');
  expect(welcome).toMatchObject({ sessionId, epoch, shared: true, resumed: false });
  return { first, second, sessionId, epoch };
}

/** The library's own reconnect. */
function reconnect(user: string, instance: string, at: number, resume: { sessionId: string; epoch: number }) {
  return program(user, instance, at, { attempt: 2, onConflict: 'deny', resume });
}

async function eventsOf(user: string, type: string) {
  const { body } = await askAdmin(nodes[0] as Broker, 'GET', `${org}/events?type=${type}&user=${user}`);
  return body.items as { readonly reason?: string; readonly machine?: string }[];
}

async function othersWait(user: string): Promise<void> {
  const other = await Desktop.hello(port(0), user, 'laptop', { onConflict: 'deny' });
  await other.told('conflict');
  other.ws.terminate();
}

async function isFree(user: string): Promise<boolean> {
  return (await redis.client.exists(key('lease', user))) === 0;
}

const renewalsOf = (desktop: Desktop) => desktop.received.filter(({ type }) => type === 'lease').length;

/** Each was confirmed again, so that a loss would have been told. */
async function allGoOn(...desktops: Desktop[]): Promise<void> {
  const before = desktops.map(renewalsOf);
  await eventually(() => desktops.every((one, at) => one.closed || renewalsOf(one) > (before[at] ?? 0) + 1));
  expect(desktops.map(({ closed }) => closed)).toEqual(desktops.map(() => null));
}

describe('programs of one user on one machine', () => {
  it('hold one session together, on different nodes too: counted once, and each renews', async () => {
    const user = newUser();
    const counts = async () => (await askAdmin(nodes[0] as Broker, 'GET', org)).body.counts;
    const { active } = await counts();
    const { first, second, sessionId } = await pair(user);
    await allGoOn(first, second);
    expect(await counts()).toMatchObject({ active: active + 1 });
    expect(await eventsOf(user, 'session.granted')).toHaveLength(1);
    expect(await eventsOf(user, 'session.joined')).toMatchObject([{ machine: 'workstation' }]);
    const { body } = await askAdmin(nodes[0] as Broker, 'GET', `${org}/sessions?user=${user}`);
    expect(body.items).toMatchObject([{ sessionId, shared: true }]);
    await othersWait(user);
  });

  it('give the seat back with the last of them', async () => {
    const user = newUser();
    const { first, second } = await pair(user);
    first.say({ type: 'release' });
    expect((await first.close()).code).toBe(1000);
    await eventually(async () => (await eventsOf(user, 'session.left')).length === 1);
    await othersWait(user);
    await allGoOn(second);
    second.say({ type: 'release' });
    await second.close();
    await eventually(() => isFree(user));
    expect(await eventsOf(user, 'session.ended')).toMatchObject([{ reason: 'released' }]);
    expect(await redis.client.exists(key('sharers', user))).toBe(0);
  });

  it('go on whichever of three goes first', async () => {
    const user = newUser();
    const { first, second } = await pair(user);
    const third = await program(user, 'third', 0);
    await third.told('welcome');
    first.say({ type: 'release' });
    await first.close();
    third.say({ type: 'release' });
    await third.close();
    await allGoOn(second);
    // The session is the second's alone, which comes back to it as ever: under a new epoch.
    const { sessionId, epoch } = await second.told('welcome');
    const again = await reconnect(user, 'second', 0, { sessionId, epoch });
    const welcome = await again.told('welcome');
    expect(welcome).toMatchObject({ sessionId, resumed: true });
    expect(welcome).not.toHaveProperty('shared');
    expect(welcome.epoch).toBeGreaterThan(epoch);
    again.ws.terminate();
  });

  // [broker-share]
  it('are told together when another machine takes the seat, once each', async () => {
    const user = newUser();
    const { first, second } = await pair(user);
    const third = await program(user, 'third', 1);
    await third.told('welcome');
    const laptop = await Desktop.hello(port(0), user, 'laptop');
    const { epoch, displaced } = await laptop.told('welcome');
    expect(displaced?.machine.name).toBe('workstation');
    for (const one of [first, second, third]) {
      expect(await one.told('evicted')).toMatchObject({ reason: 'taken_over', epoch });
      expect((await one.close()).code).toBe(4509);
      expect(one.received.filter(({ type }) => type === 'evicted')).toHaveLength(1);
    }
    expect(await eventsOf(user, 'session.ended')).toHaveLength(1);
    await allGoOn(laptop);
    laptop.ws.terminate();
  });

  it('end together, each told once, where the desk ends the session, suspends the license or renames the user', async () => {
    const acts: readonly [string, (user: string) => [string, string, object?]][] = [
      ['evicted_by_admin', (user) => ['POST', `/sessions/${user}/evict`, {}]],
      ['license_suspended', (user) => ['POST', `/licenses/${user}/suspend`, {}]],
      ['user_renamed', (user) => ['POST', `/users/${user}/rename`, { to: `${user}.new` }]],
    ];
    for (const [reason, act] of acts) {
      const user = newUser();
      const issued = await askAdmin(nodes[0] as Broker, 'POST', `${org}/licenses`, { body: { user } });
      expect(issued.status, issued.text).toBe(201);
      const { first, second } = await pair(user);
      const [method, path, body] = act(user);
      const done = await askAdmin(nodes[0] as Broker, method, org + path, { body });
      expect(done.status, done.text).toBe(200);
      for (const one of [first, second]) {
        expect((await one.close()).reason).toBe(reason);
        expect(one.received.filter(({ type }) => type === 'evicted')).toHaveLength(1);
      }
      expect(await redis.client.exists(key('sharers', user))).toBe(0);
    }
  });

  it('come back each under the epoch that all have; only the older connection of that program ends', async () => {
    const user = newUser();
    const { first, second, sessionId, epoch } = await pair(user);
    const again = await reconnect(user, 'second', 0, { sessionId, epoch });
    expect(await again.told('welcome')).toMatchObject({ sessionId, epoch, resumed: true, shared: true });
    expect((await second.close()).reason).toBe('superseded');
    const main = await reconnect(user, 'first', 1, { sessionId, epoch });
    expect(await main.told('welcome')).toMatchObject({ sessionId, epoch, resumed: true, shared: true });
    expect((await first.close()).reason).toBe('superseded');
    await allGoOn(again, main);
    const ghost = await program(user, 'second', 0, { attempt: 1 });
    expect((await ghost.close()).code).toBe(4409);
    // An older connection that gives its seat back takes nothing from the newer one.
    await allGoOn(again, main);
    again.say({ type: 'release' });
    main.say({ type: 'release' });
    await eventually(() => isFree(user));
  });

  it('join without a person where they had a session before, and never without one', async () => {
    const user = newUser();
    const { first } = await pair(user);
    const stranger = await program(user, 'stranger', 1, { onConflict: 'deny' });
    expect((await stranger.told('conflict')).holder).toMatchObject({ sameMachine: true });
    const sleeper = await program(user, 'sleeper', 1, {
      onConflict: 'deny',
      resume: { sessionId: '01970000-0000-7000-8000-000000000000', epoch: 1 },
    });
    expect(await sleeper.told('welcome')).toMatchObject({ shared: true });
    await allGoOn(first, sleeper);
  });

  it('are sixteen at most: one more waits, and ends none of them', async () => {
    const user = newUser();
    const all: Desktop[] = [];
    for (let at = 0; at < 16; at++) {
      const one = await program(user, `window${at}`, at % 2);
      await one.told('welcome');
      all.push(one);
    }
    const more = await program(user, 'window16');
    expect((await more.told('conflict')).holder).toMatchObject({ sameMachine: true });
    await allGoOn(...all);
    all[3]?.say({ type: 'release' });
    await all[3]?.close();
    more.say({ type: 'takeover' });
    expect(await more.told('welcome')).toMatchObject({ shared: true });
    for (const one of [...all, more]) one.ws.terminate();
  });

  it('replace one another where the org has not said so, and where a program does not say which it is', async () => {
    const user = newUser();
    const nameless = await Desktop.hello(port(0), user, 'workstation');
    await nameless.told('welcome');
    const named = await program(user, 'first');
    expect(await named.told('welcome')).not.toHaveProperty('shared');
    expect((await nameless.close()).reason).toBe('superseded');
    await setRules({ sameMachine: null });
    const second = await program(user, 'second', 1);
    expect(await second.told('welcome')).not.toHaveProperty('shared');
    expect((await named.close()).reason).toBe('superseded');
    second.ws.terminate();
  });

  it('go on together after the org has changed its mind, until one begins anew', async () => {
    const user = newUser();
    const { first, second, sessionId, epoch } = await pair(user);
    await setRules({ sameMachine: null });
    const again = await reconnect(user, 'second', 0, { sessionId, epoch });
    expect(await again.told('welcome')).toMatchObject({ sessionId, epoch, shared: true });
    expect((await second.close()).reason).toBe('superseded');
    const third = await program(user, 'third', 1);
    await third.told('welcome');
    for (const one of [first, again]) expect((await one.close()).reason).toBe('superseded');
    third.ws.terminate();
  });
});

describe('a program that is lost without a word', () => {
  it('is taken out by its node after a TTL: then the last one frees the seat', async () => {
    const user = newUser();
    const { first, second } = await pair(user);
    first.ws.terminate();
    await eventually(async () => (await eventsOf(user, 'session.left')).length === 1);
    expect(await eventsOf(user, 'session.left')).toMatchObject([{ reason: 'lost' }]);
    await allGoOn(second);
    second.say({ type: 'release' });
    await eventually(() => isFree(user));
    expect(await eventsOf(user, 'session.ended')).toMatchObject([{ reason: 'released' }]);
  });

  it('keeps its place where it comes back in time', async () => {
    const user = newUser();
    const { first, second, sessionId, epoch } = await pair(user);
    second.ws.terminate();
    const again = await reconnect(user, 'second', 0, { sessionId, epoch });
    await again.told('welcome');
    // Longer than a TTL.
    for (let round = 0; round < 4; round++) await allGoOn(first, again);
    expect(await eventsOf(user, 'session.left')).toEqual([]);
    again.ws.terminate();
    first.ws.terminate();
  });

  it('with its node holds the seat for one TTL after the last release, and no longer', async () => {
    const user = newUser();
    const node = await NodeProcess.start(redis.url);
    const first = await program(user, 'first');
    await first.told('welcome');
    const second = await program(user, 'second', node);
    await second.told('welcome');
    node.child.kill('SIGKILL');
    await second.close();
    await allGoOn(first);
    first.say({ type: 'release' });
    await first.close();
    await othersWait(user);
    await eventually(() => isFree(user));
    await eventually(async () => (await eventsOf(user, 'session.ended')).length === 1);
    expect(await eventsOf(user, 'session.ended')).toMatchObject([{ reason: 'expired' }]);
  });
});

describe('a shared session', () => {
  it('comes back whole after Redis has lost all: one epoch, and nobody is evicted', async () => {
    const user = newUser();
    const { first, second, sessionId, epoch } = await pair(user);
    await redis.client.flushall();
    await eventually(() => [first, second].every((one) => one.closed || one.epoch > epoch));
    await eventually(async () => (await redis.client.hlen(key('sharers', user))) === 2);
    await allGoOn(first, second);
    expect(first.epoch).toBe(second.epoch);
    expect(await redis.client.get(key('lease', user))).toMatch(`${sessionId}:${first.epoch}:`);
    await setRules({ sameMachine: 'share' });
    first.say({ type: 'release' });
    await first.close();
    await allGoOn(second);
    second.say({ type: 'release' });
    await eventually(() => isFree(user));
  });

  it('gets one new epoch in a new reign', async () => {
    const user = newUser();
    const { first, second, epoch } = await pair(user);
    await redis.client.set('soleseat:{acme}:reign', `feedfeedfeedfeed:${epoch + 1}`);
    await eventually(() => [first, second].every((one) => one.closed || one.epoch > epoch));
    await allGoOn(first, second);
    expect(first.epoch).toBe(second.epoch);
    for (const one of [first, second]) one.ws.terminate();
  });

  it('cannot be taken along by one alone', async () => {
    const user = newUser();
    await setRules({ leaveMaxMs: 60_000 });
    const { first, second } = await pair(user);
    first.say({ type: 'leave', forMs: 10_000 });
    expect(await first.told('error')).toMatchObject({ code: 'leave_not_allowed' });
    await allGoOn(first, second);
    for (const one of [first, second]) one.ws.terminate();
  });

  it('is asked for at all of its programs; the first answer counts, and the others are told', async () => {
    const user = newUser();
    const { first, second } = await pair(user, { asks: true });
    const laptop = await Desktop.hello(port(1), user, 'laptop', { onConflict: 'ask' });
    expect(await laptop.told('conflict')).toMatchObject({ asking: true });
    for (const one of [first, second]) await one.told('takeover_requested');
    second.say({ type: 'answer', yield: false });
    await laptop.told('ask_refused');
    await first.told('takeover_withdrawn');
    first.say({ type: 'answer', yield: true });
    await allGoOn(first, second);
    expect(second.find('takeover_withdrawn')).toBeUndefined();
    expect(laptop.find('welcome')).toBeUndefined();
    for (const one of [first, second, laptop]) one.ws.terminate();
  });

  it('is given up by the yes of one: all are told', async () => {
    const user = newUser();
    const { first, second } = await pair(user, { asks: true });
    const laptop = await Desktop.hello(port(0), user, 'laptop', { onConflict: 'ask' });
    for (const one of [first, second]) await one.told('takeover_requested');
    first.say({ type: 'answer', yield: true });
    await laptop.told('welcome');
    for (const one of [first, second]) expect((await one.close()).code).toBe(4509);
    laptop.ws.terminate();
  });

  it('is idle only where nobody is at work at any of its programs', async () => {
    await setRules({ sameMachine: 'share', idleLimitMs: 2000 });
    const user = newUser();
    const { first, second } = await pair(user, { idleMs: 0 });
    const work = setInterval(() => second.say({ type: 'activity' }), 200);
    const begun = Date.now();
    await eventually(() => Date.now() - begun > 5000 || first.closed !== null);
    clearInterval(work);
    expect([first.closed, first.find('idle_warning')]).toEqual([null, undefined]);
    for (const one of [first, second]) expect((await one.close()).code).toBe(4517);
    expect(await eventsOf(user, 'session.ended')).toMatchObject([{ reason: 'idle_timeout' }]);
  });

  it.each(['first', 'second'])('ends for all where the token of the %s is revoked', async (whose) => {
    for (const isUserKnown of [true, false]) {
      const user = newUser();
      const open = async (instance: string, at: number) => {
        const desktop = await Desktop.open(port(at), signed({ sub: user, jti: `${user}-${instance}` }));
        desktop.say({ type: 'hello', machine: { id: 'workstation' }, instance, attempt: 1 });
        await desktop.told('welcome');
        return desktop;
      };
      const both = [await open('first', 0), await open('second', 1)];
      const body = { jti: `${user}-${whose}`, ...(isUserKnown && { user }) };
      const revoked = await askAdmin(nodes[0] as Broker, 'POST', `${org}/revocations`, { body });
      expect(revoked.status, revoked.text).toBe(201);
      for (const one of both) expect((await one.close()).code).toBe(4516);
    }
  });
});

describe('a shared session that Redis has lost', () => {
  it('outlives the release of one of its programs, whoever is put back first', async () => {
    for (let round = 0; round < 3; round++) {
      const user = newUser();
      const { first, second } = await pair(user);
      await redis.client.del(key('lease', user));
      first.say({ type: 'release' });
      await first.close();
      await allGoOn(second);
      second.say({ type: 'release' });
      await eventually(() => isFree(user));
    }
  });

  it('is shared again where the join was lost in a failover, though the epoch was not', async () => {
    const user = newUser();
    const first = await program(user, 'first');
    const { epoch } = await first.told('welcome');
    const before = (await redis.client.get(key('lease', user))) ?? '';
    const second = await program(user, 'second', 1);
    await second.told('welcome');
    await redis.client
      .multi()
      .set(key('lease', user), before, 'PX', 3000)
      .del(key('sharers', user))
      .set('soleseat:{acme}:reign', `feedfeedfeedfeed:${epoch + 1}`)
      .exec();
    await eventually(async () => (await redis.client.hlen(key('sharers', user))) === 2);
    await allGoOn(first, second);
    expect(first.epoch).toBe(second.epoch);
    first.say({ type: 'release' });
    await first.close();
    await allGoOn(second);
    second.ws.terminate();
  });

  it('ends for nobody for good where one begins anew before the others are put back', async () => {
    let hasBegunAnew = false;
    for (let round = 0; round < 20 && !hasBegunAnew; round++) {
      const user = newUser();
      const { first, second, sessionId, epoch } = await pair(user);
      await redis.client.del(key('lease', user));
      first.ws.terminate();
      const again = await reconnect(user, 'first', 0, { sessionId, epoch });
      hasBegunAnew = (await again.told('welcome')).sessionId !== sessionId;
      if (hasBegunAnew) {
        expect(await second.close()).toEqual({ code: 4010, reason: 'lease_lost' });
        const back = await reconnect(user, 'second', 1, { sessionId, epoch });
        expect(await back.told('welcome')).toMatchObject({ shared: true });
        back.ws.terminate();
      }
      for (const one of [again, second]) one.ws.terminate();
    }
    expect(hasBegunAnew).toBe(true);
  });
});

describe('a program that has crashed', () => {
  it('is no sharer for long of one that is started again: its seat is its own', async () => {
    await setRules({ leaveMaxMs: 60_000 });
    const user = newUser();
    const first = await program(user, 'first');
    await first.told('welcome');
    first.ws.terminate();
    // By the time that it has answered somebody else, its node knows.
    const other = await Desktop.hello(port(0), newUser(), 'pc');
    await other.told('welcome');
    other.ws.terminate();
    const second = await program(user, 'second', 1);
    expect(await second.told('welcome')).toMatchObject({ shared: true });
    await eventually(async () => (await redis.client.exists(key('sharers', user))) === 0);
    expect(await eventsOf(user, 'session.left')).toMatchObject([{ reason: 'lost' }]);
    await allGoOn(second);
    second.say({ type: 'release' });
    await eventually(() => isFree(user));
    expect(await eventsOf(user, 'session.ended')).toMatchObject([{ reason: 'released' }]);
  });

  it('goes with its node, where that is stopped', async () => {
    const user = newUser();
    const node = await startNode(redis.url);
    const first = await program(user, 'first');
    await first.told('welcome');
    const second = await program(user, 'second', node);
    await second.told('welcome');
    await node.drain();
    await node.stop();
    expect(await redis.client.exists(key('sharers', user))).toBe(0);
    await allGoOn(first);
    first.ws.terminate();
  });
});

describe('of programs that share', () => {
  it('none is ended for idling while one does not tell', async () => {
    await setRules({ idleLimitMs: 1000 });
    const user = newUser();
    const first = await program(user, 'first');
    await first.told('welcome');
    const second = await program(user, 'second', 1, { idleMs: 0 });
    await second.told('welcome');
    for (let round = 0; round < 4; round++) await allGoOn(first, second);
    expect(second.find('idle_warning')).toBeUndefined();
    for (const one of [first, second]) one.ws.terminate();
  });

  it('those that answer are asked, and no one again who needs more time', async () => {
    const user = newUser();
    const silent = await program(user, 'silent');
    await silent.told('welcome');
    const first = await program(user, 'first', 0, { asks: true });
    const second = await program(user, 'second', 1, { asks: true });
    for (const one of [first, second]) await one.told('welcome');
    const laptop = await Desktop.hello(port(1), user, 'laptop', { onConflict: 'ask' });
    const asked = (one: Desktop) => one.received.filter(({ type }) => type === 'takeover_requested').length;
    await eventually(() => asked(first) === 1 && asked(second) === 1);
    first.say({ type: 'answer', yield: true, needMs: 30_000 });
    await eventually(() => asked(second) === 2);
    const late = await program(user, 'late', 0, { asks: true });
    await eventually(() => asked(late) === 1);
    await allGoOn(silent, first, second, late);
    expect([asked(silent), asked(first)]).toEqual([0, 1]);
    for (const one of [silent, first, second, late, laptop]) one.ws.terminate();
  });

  it('one gets a license where the first sign-in issues it', async () => {
    const user = newUser();
    const first = await program(user, 'first');
    expect((await first.told('welcome')).license).toBeNull();
    await setRules({ licenseMode: 'auto' });
    const second = await program(user, 'second', 1);
    const { license } = await second.told('welcome');
    await setRules({ licenseMode: null });
    expect(license).not.toBeNull();
    for (const one of [first, second]) one.ws.terminate();
  });
});

describe('races', () => {
  it('of joining and taking over leave one machine with the seat, and all others told', async () => {
    for (let round = 0; round < 12; round++) {
      const user = newUser();
      const first = await program(user, 'first');
      await first.told('welcome');
      const [second, laptop] = await Promise.all([
        program(user, 'second', round % 2),
        Desktop.hello(port((round + 1) % 2), user, 'laptop'),
      ]);
      const machines = [
        { name: 'workstation', desktops: [first, second] },
        { name: 'laptop', desktops: [laptop] },
      ];
      await eventually(async () => {
        const lease = await redis.client.get(key('lease', user));
        const owner = /"id":"(\w+)"/.exec(lease ?? '')?.[1];
        return machines.every(({ name, desktops }) =>
          desktops.every((one) =>
            name === owner ? one.find('welcome') && true : one.closed || one === first,
          ),
        );
      });
      const lease = (await redis.client.get(key('lease', user))) ?? '';
      const isLaptop = lease.includes('"id":"laptop"');
      for (const { name, desktops } of machines) {
        if ((name === 'laptop') === isLaptop) continue;
        for (const one of desktops) expect((await one.close()).reason).toBe('taken_over');
      }
      for (const one of [first, second, laptop]) one.ws.terminate();
    }
  });

  it('of joining and the last release leave either a shared session or a new one, never none', async () => {
    for (let round = 0; round < 6; round++) {
      const user = newUser();
      const first = await program(user, 'first');
      await first.told('welcome');
      first.say({ type: 'release' });
      const second = await program(user, 'second', round % 2);
      await second.told('welcome');
      await first.close();
      await allGoOn(second);
      expect(await isFree(user)).toBe(false);
      second.say({ type: 'release' });
      await eventually(() => isFree(user));
      expect(await eventsOf(user, 'session.ended')).toHaveLength(
        (await eventsOf(user, 'session.granted')).length,
      );
    }
  });
});
