import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { socketAddress } from '../../packages/client/src/address.js';
import type { SessionClient, WebSocketClass } from '../../packages/client/src/node.js';
import { eventually } from '../support/eventually.js';
import {
  observe as observeAt,
  otherSessionId,
  ScriptedBroker,
  sessionId,
  welcome,
} from './scripted-broker.js';

const holder = { machine: { name: 'Laptop' }, since: 1 };
const conflict = { type: 'conflict', holder } as const;
const takenOver = {
  type: 'evicted',
  reason: 'taken_over',
  by: { machine: { name: 'Laptop' } },
  at: 1,
  epoch: 8,
} as const;

let broker: ScriptedBroker;
const clients: SessionClient[] = [];

function observe(options: Parameters<typeof observeAt>[1] = {}) {
  const observed = observeAt(broker.url, options);
  clients.push(observed.client);
  return observed;
}

async function seated(
  options: Parameters<typeof observeAt>[1] = {},
  fields: Parameters<typeof welcome>[0] = {},
) {
  const observed = observe(options);
  const visit = await broker.visit(1);
  await visit.hello();
  visit.say(welcome(fields));
  await observed.state('active');
  return { ...observed, visit };
}

/** Nothing is read, and no timer runs, for that long. */
function standStill(forMs: number): void {
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs);
}

beforeEach(async () => {
  broker = await ScriptedBroker.start();
});
afterEach(() => {
  vi.useRealTimers();
  for (const client of clients.splice(0)) client.disconnect();
  broker.stop();
});

describe('connecting', () => {
  it('sends the token in hello, not in the handshake, and takes over as a person started it', async () => {
    observe({ client: { name: 'drawing', version: '2' } });
    expect(await (await broker.visit(1)).hello()).toEqual({
      type: 'hello',
      machine: { id: 'm1', name: 'Desk' },
      instance: expect.stringMatching(/^[0-9a-f]{32}$/),
      attempt: 1,
      onConflict: 'takeover',
      client: { name: 'drawing', version: '2' },
      token: 'a-token',
    });
    expect(broker.handshakes).toEqual([{ authorization: undefined, url: '/v1/connect' }]);
  });

  it('holds the lease from the welcome on', async () => {
    const { client, all } = await seated();
    expect([client.sessionId, client.epoch, client.holdsLease()]).toEqual([sessionId, 7, true]);
    expect(client.leaseDeadline).toBeGreaterThan(performance.now());
    expect(all('state')).toEqual([{ state: 'active', previous: 'connecting' }]);
  });

  it('drops a token that comes after a person has begun another attempt', async () => {
    const found: ((token: string) => void)[] = [];
    const { client } = observe({
      onConflict: 'deny',
      getToken: () => new Promise((resolve) => found.push(resolve)),
    });
    client.takeOver();
    found[0]?.('stale');
    await sleep(50);
    found[1]?.('fresh');
    expect(await (await broker.visit(1)).hello()).toMatchObject({ token: 'fresh', onConflict: 'takeover' });
    expect(broker.visits).toHaveLength(1);
  });

  it('gives up an attempt that is not answered, tries again, and ignores the old socket', async () => {
    const { client, state } = observe({ connectTimeoutMs: 200 });
    const first = await broker.visit(1);
    const second = await broker.visit(2);
    first.say(welcome({ sessionId: otherSessionId }));
    second.say(welcome());
    await state('active');
    expect(client.sessionId).toBe(sessionId);
  });

  it('tries again with an error event when there is no token, and says what the token is for', async () => {
    const needs: string[] = [];
    const { all, client } = observe({
      getToken: async (need) => {
        needs.push(need);
        if (needs.length < 3) throw new Error('signed out');
        return 'late-token';
      },
    });
    expect((await (await broker.visit(1)).hello()).token).toBe('late-token');
    expect(all('error')).toEqual(Array(2).fill({ code: 'token_unavailable', message: 'signed out' }));
    expect(all('reconnecting')).toHaveLength(2);
    expect(needs).toEqual(['connect', 'connect', 'connect']);
    expect(client.state).toBe('reconnecting');
  });

  it.each([
    'seats.example.com',
    'not a url',
    '',
    'ftp://127.0.0.1/v1/connect',
    '/v1/connect',
    'ws://127.0.0.1/#x',
    'ws://127.0.0.1/v1/connect?token=eyJ',
    'ws://127.0.0.1/v1/connect?a=b&Access_Token=eyJ',
    'ws://',
  ])('fails at once with the URL %j', (url) => {
    expect(() => observeAt(url)).toThrow(TypeError);
    expect(() => observeAt(url)).toThrow(/^options\.url /);
  });

  it.each([
    ['wss://seats.example.com', 'wss://seats.example.com/v1/connect'],
    ['https://seats.example.com/', 'wss://seats.example.com/v1/connect'],
    ['http://127.0.0.1:8080', 'ws://127.0.0.1:8080/v1/connect'],
    [
      'wss://seats.example.com/soleseat/v1/connect?region=eu',
      'wss://seats.example.com/soleseat/v1/connect?region=eu',
    ],
  ])('reads %s as %s', (url, dialled) => {
    expect(socketAddress(url)).toBe(dialled);
  });

  it('is closed, and tries no more, where the platform opens no socket', async () => {
    let opened = 0;
    class Forbidding {
      constructor() {
        opened++;
        throw new Error('mixed content');
      }
    }
    const { client, all, event } = observe({ WebSocket: Forbidding as unknown as WebSocketClass });
    await event('closed');
    expect(all('error')).toEqual([{ code: 'socket_unavailable', message: 'mixed content' }]);
    expect(all('closed')).toEqual([{ code: 1006, reason: 'no socket' }]);
    expect([client.state, opened, all('reconnecting')]).toEqual(['closed', 1, []]);
    client.takeOver();
    await eventually(() => opened === 2);
  });

  it('survives listeners that throw and frames that it does not know', async () => {
    const silence = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { client, all, event } = observe();
    client.on('welcome', () => {
      throw new Error('a bug in the program');
    });
    const after = vi.fn();
    client.on('welcome', after);
    const visit = await broker.visit(1);
    visit.sayText('{"type":"of a newer broker"}');
    visit.sayText('no JSON');
    visit.sayText('{"type":"lease","epoch":"x"}');
    visit.say(welcome(), { type: 'lease', epoch: 7, ttlMs: 20_000 });
    await event('lease');
    expect(after).toHaveBeenCalledOnce();
    expect(silence).toHaveBeenCalledOnce();
    expect(all('lease')).toHaveLength(1);
    silence.mockRestore();
  });
});

describe('a lost connection', () => {
  it('is followed by a resume that denies: a reconnect never steals', async () => {
    const { client, visit, state, all } = await seated();
    visit.cut();
    const hello = await (await broker.visit(2)).hello();
    expect(hello).toMatchObject({ onConflict: 'deny', resume: { sessionId, epoch: 7 } });
    expect([client.state, client.holdsLease()]).toEqual(['reconnecting', true]);
    expect(all('reconnecting')).toEqual([{ inMs: expect.any(Number), code: 1006, cause: expect.anything() }]);
    (await broker.visit(2)).say(welcome({ resumed: true }));
    await state('active');
  });

  it('is retried without a steal even where no welcome ever came', async () => {
    observe();
    (await broker.visit(1)).close(1013, 'overloaded');
    const hello = await (await broker.visit(2)).hello();
    expect(hello.onConflict).toBe('deny');
    expect(hello.resume).toBeUndefined();
  });

  it('resumes with the epoch of the last renewal, and no older one', async () => {
    const { visit, event, client, all } = await seated();
    visit.say({ type: 'lease', epoch: 9, ttlMs: 20_000 }, { type: 'lease', epoch: 8, ttlMs: 1 });
    visit.say({ type: 'error', code: 'unsupported', message: 'said last' });
    await event('error');
    expect([client.epoch, all('lease').length]).toEqual([9, 1]);
    expect(client.leaseDeadline).toBeGreaterThan(performance.now() + 10_000);
    visit.cut();
    expect((await (await broker.visit(2)).hello()).resume).toEqual({ sessionId, epoch: 9 });
  });

  it('is a first one again after a renewal, not after a welcome: that may be one of a crash loop', async () => {
    const { visit, all, state } = await seated({
      backoff: { firstMs: 20, maxMs: 10_000 },
      random: () => 0.5,
    });
    visit.cut();
    const second = await broker.visit(2);
    await second.hello();
    second.say(welcome());
    await state('active');
    second.cut();
    const third = await broker.visit(3);
    await third.hello();
    third.say(welcome(), { type: 'lease', epoch: 7, ttlMs: 20_000 });
    await eventually(() => all('lease').length > 0);
    third.cut();
    await eventually(() => all('reconnecting').length === 3);
    expect(all('reconnecting').map((event) => 'inMs' in event && event.inMs)).toEqual([10, 20, 10]);
  });

  it('is not a first one again because a person acted', async () => {
    const { client, visit, all } = await seated({
      backoff: { firstMs: 20, maxMs: 10_000 },
      random: () => 0.5,
    });
    visit.cut();
    await (await broker.visit(2)).hello();
    client.takeOver();
    expect((await (await broker.visit(3)).hello()).onConflict).toBe('takeover');
    (await broker.visit(3)).cut();
    await eventually(() => all('reconnecting').length === 2);
    expect(all('reconnecting')).toMatchObject([{ inMs: 10 }, { inMs: 20 }]);
  });

  it.each([
    [4001, 'token_expired'],
    [4010, 'lease_lost'],
    [4409, 'stale_attempt'],
  ])('%i %s is not final, and the waits after it grow until a renewal comes', async (code, reason) => {
    const { visit, all } = await seated({ backoff: { firstMs: 20, maxMs: 10_000 }, random: () => 0.5 });
    visit.close(code, reason);
    const second = await broker.visit(2);
    await second.hello();
    second.say(welcome());
    second.close(code, reason);
    await broker.visit(3);
    expect(all('reconnecting')).toEqual([
      { inMs: 10, code, cause: expect.anything() },
      { inMs: 20, code, cause: expect.anything() },
    ]);
  });

  it('is counted up in each hello of the same instance', async () => {
    const { visit } = await seated();
    const first = await visit.hello();
    visit.cut();
    const second = await (await broker.visit(2)).hello();
    expect([second.instance, first.attempt, second.attempt]).toEqual([first.instance, 1, 2]);
  });

  it('is what a 1000 means that no release asked for and no reason explains', async () => {
    const { client, visit, all, state } = await seated();
    visit.close(1000, '');
    (await broker.visit(2)).close(1000, 'bye');
    const third = await broker.visit(3);
    expect((await third.hello()).resume?.sessionId).toBe(sessionId);
    third.say(welcome({ resumed: true }));
    await state('active');
    expect([client.sessionId, all('closed')]).toEqual([sessionId, []]);
  });

  it('waits no less than the broker asked', async () => {
    const { visit, event, all } = await seated();
    visit.say({ type: 'error', code: 'rate_limited', message: 'slow down', retryAfterMs: 60_000 });
    visit.close(4429, 'rate_limited');
    await event('reconnecting');
    expect(all('reconnecting')).toEqual([
      { inMs: expect.closeTo(60_000, -2), code: 4429, cause: expect.anything() },
    ]);
    expect(all('error')).toEqual([{ code: 'rate_limited', message: 'slow down', retryAfterMs: 60_000 }]);
  });

  it('comes back within the window of a drain', async () => {
    const { visit, event, all } = await seated({ backoff: { firstMs: 1, maxMs: 10_000 }, random: () => 0.5 });
    visit.say({ type: 'draining', reconnectWithinMs: 80 });
    visit.close(1012, 'draining');
    await event('reconnecting');
    expect(all('reconnecting')).toEqual([{ inMs: 40, code: 1012, cause: expect.anything() }]);
    expect((await (await broker.visit(2)).hello()).resume?.sessionId).toBe(sessionId);
  });

  it('asks for a new token where the old one ended', async () => {
    const getToken = vi.fn((need: string) => `for-${need}`);
    const { visit } = await seated({ getToken });
    visit.close(4001, 'token_expired');
    expect((await (await broker.visit(2)).hello()).token).toBe('for-token_expired');
  });

  it('asks for a new token until an attempt is answered, and no longer', async () => {
    const needs: string[] = [];
    const { visit, state } = await seated({
      getToken: (need) => {
        needs.push(need);
        if (needs.length === 2) throw new Error('offline');
        return need;
      },
    });
    visit.close(4001, 'token_expired');
    await (await broker.visit(2)).hello();
    (await broker.visit(2)).cut();
    const third = await broker.visit(3);
    await third.hello();
    third.say(welcome({ resumed: true }));
    await state('active');
    third.cut();
    await broker.visit(4);
    expect(needs).toEqual(['connect', ...Array(3).fill('token_expired'), 'connect']);
  });
});

describe('a broker that falls silent', () => {
  it('is a lost connection: the client resumes on another, and denies', async () => {
    const startMs = performance.now();
    const { visit, event, all } = await seated({}, { ttlMs: 100 });
    expect((await (await broker.visit(2)).hello()).resume).toEqual({ sessionId, epoch: 7 });
    // The lease has passed. The heartbeat would wait for 25 s.
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect((await (await broker.visit(2)).hello()).onConflict).toBe('deny');
    await event('leaseExpired');
    expect(all('reconnecting')).toEqual([{ inMs: expect.any(Number), code: 1006, cause: expect.anything() }]);
    await eventually(() => visit.closedWith === 4000);
  });

  it('was not silent where its renewal lay unread while this process stood still', async () => {
    const { client, visit, event, all } = await seated({}, { ttlMs: 100 });
    visit.say({ type: 'lease', epoch: 7, ttlMs: 30_000 });
    standStill(800);
    await event('lease');
    await sleep(500);
    expect([client.state, client.holdsLease(), all('reconnecting')]).toEqual(['active', true, []]);
  });

  it('does not cost the next connection anything', async () => {
    const { visit, all } = await seated({}, { ttlMs: 400 });
    visit.cut();
    await (await broker.visit(2)).hello();
    await sleep(1_000);
    expect([broker.visits.length, all('reconnecting').length]).toEqual([2, 1]);
  });

  it('stays an eviction where one was told', async () => {
    const { client, visit, event, all } = await seated({}, { ttlMs: 100 });
    visit.say(takenOver);
    await event('closed');
    expect([client.state, all('reconnecting')]).toEqual(['evicted', []]);
  });

  it('is noticed in a conflict too, by the pings that no longer come', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { event, all } = observe({ onConflict: 'deny' });
    const visit = await broker.visit(1);
    visit.say(conflict);
    await event('conflict');
    await visit.ping();
    vi.advanceTimersByTime(200_000);
    await event('reconnecting');
    expect(all('reconnecting')).toEqual([{ inMs: expect.any(Number), code: 1006, cause: expect.anything() }]);
    expect((await (await broker.visit(2)).hello()).onConflict).toBe('deny');
  });
});

describe('the lease', () => {
  it('runs out once where no renewal comes, and comes back with one', async () => {
    const { client, visit, all, event } = await seated({}, { ttlMs: 30 });
    visit.say({ type: 'jeopardy', graceMs: 5_000 });
    await event('leaseExpired');
    expect(client.holdsLease()).toBe(false);
    expect(client.state).toBe('jeopardy');
    visit.say({ type: 'lease', epoch: 7, ttlMs: 30_000 });
    await event('lease');
    expect(client.holdsLease()).toBe(true);
    expect(all('leaseExpired')).toHaveLength(1);
  });

  it('does not run out before a renewed deadline', async () => {
    const { client, visit, event, all } = await seated({}, { ttlMs: 60_000 });
    visit.say({ type: 'lease', epoch: 7, ttlMs: 50 });
    await event('leaseExpired');
    const [expiry] = all('leaseExpired');
    // Two clocks are read one after the other, and one of them goes in steps of 10 ms.
    expect(expiry).toEqual({ epoch: 7, deadline: expect.closeTo(client.leaseDeadline ?? 0, -2) });
  });

  it('is in jeopardy until the broker recovers', async () => {
    const { visit, state, all } = await seated();
    visit.say({ type: 'jeopardy', graceMs: 5_000 });
    await state('jeopardy');
    visit.say({ type: 'recovered' });
    await state('active');
    expect(all('jeopardy')).toEqual([{ graceMs: 5_000 }]);
    expect(all('recovered')).toHaveLength(1);
  });
});

describe('the end', () => {
  it('promise 4: an eviction is told at once, before the close, and nothing reconnects', async () => {
    const { client, visit, all, event } = await seated();
    visit.say(takenOver);
    await event('evicted');
    expect([client.state, client.holdsLease(), visit.closedWith]).toEqual(['evicted', false, null]);
    const { type: _, ...told } = takenOver;
    expect(all('evicted')).toEqual([told]);
    visit.close(4509, 'taken_over');
    await event('closed');
    expect(all('closed')).toEqual([{ code: 4509, reason: 'taken_over' }]);
    expect([client.state, client.sessionId, all('reconnecting'), all('denied')]).toEqual([
      'evicted',
      null,
      [],
      [],
    ]);
  });

  it('stays an eviction where the close frame got lost', async () => {
    const { client, visit, all, event } = await seated();
    visit.say(takenOver);
    await event('evicted');
    visit.cut();
    await event('closed');
    expect([client.state, all('reconnecting')]).toEqual(['evicted', []]);
  });

  it('is a refusal where a final code comes without an eviction', async () => {
    const { client, all, event } = observe();
    (await broker.visit(1)).close(4513, 'license_required');
    await event('closed');
    const message = 'The user has no license in this org.';
    expect(all('denied')).toEqual([{ code: 4513, reason: 'license_required', message }]);
    expect([client.state, all('reconnecting')]).toEqual(['denied', []]);
  });

  it('comes back by a person only, without the session that ended', async () => {
    const { client, visit, event } = await seated();
    visit.say(takenOver);
    visit.close(4509, 'taken_over');
    await event('closed');
    client.takeOver();
    expect(client.state).toBe('connecting');
    const hello = await (await broker.visit(2)).hello();
    expect([hello.onConflict, hello.resume]).toEqual(['takeover', undefined]);
  });

  it('promise 4: a person who takes over before the eviction is told gets the seat', async () => {
    const { client, visit, all, state } = await seated();
    client.takeOver();
    client.takeOver();
    visit.say(takenOver);
    visit.close(4509, 'taken_over');
    const second = await broker.visit(2);
    expect(await second.hello()).toMatchObject({ onConflict: 'takeover', resume: { sessionId, epoch: 7 } });
    second.say(welcome({ sessionId: otherSessionId, epoch: 9 }));
    await state('active');
    expect([client.sessionId, client.epoch, broker.visits.length]).toEqual([otherSessionId, 9, 2]);
    expect([all('evicted'), all('closed'), all('reconnecting')]).toEqual([[], [], []]);
  });

  it.each(['released', 'left'])('is what 1000 %s means, whoever asked for it', async (reason) => {
    const { client, visit, event, all } = await seated();
    visit.close(1000, reason);
    await event('closed');
    expect([client.state, all('closed'), all('reconnecting')]).toEqual([
      'closed',
      [{ code: 1000, reason }],
      [],
    ]);
  });

  it('is what any 1000 means behind a release', async () => {
    const { client, visit, all } = await seated();
    const released = client.release();
    await visit.until('release');
    visit.close(1000, '');
    await released;
    expect([client.state, all('reconnecting')]).toEqual(['closed', []]);
  });

  it('is closed by release, once the broker confirms it', async () => {
    const { client, visit, all } = await seated();
    const released = client.release();
    expect(client.release()).toBe(released);
    expect(client.holdsLease()).toBe(false);
    await visit.until('release');
    visit.close(1000, 'released');
    await released;
    expect(client.state).toBe('closed');
    expect(all('closed')).toEqual([{ code: 1000, reason: 'released' }]);
  });

  it('is closed by one release where the grant was still on its way', async () => {
    const { client, all } = observe();
    const visit = await broker.visit(1);
    await visit.hello();
    const released = client.release();
    visit.say(welcome());
    await visit.ping();
    visit.close(1000, 'released');
    await released;
    expect(visit.received.map(({ type }) => type)).toEqual(['hello', 'release']);
    expect([client.holdsLease(), all('welcome'), all('closed').length]).toEqual([false, [], 1]);
  });

  it('is closed by release though the broker stays silent', async () => {
    const { client } = await seated();
    await client.release();
    expect(client.state).toBe('closed');
  });

  it('is closed by release though the network breaks', async () => {
    const { client, visit, all } = await seated();
    const released = client.release();
    await visit.until('release');
    visit.cut();
    await released;
    expect([client.state, all('reconnecting')]).toEqual(['closed', []]);
  });

  it('is closed by disconnect with a code that is not final', async () => {
    const { client, visit } = await seated();
    client.disconnect();
    expect(client.state).toBe('closed');
    await eventually(() => visit.closedWith === 4000);
    expect(visit.received.map(({ type }) => type)).toEqual(['hello']);
  });
});

describe('two clients in one process', () => {
  it('are two instances: neither may end the other as its own ghost', async () => {
    observe();
    observe();
    const [one, other] = [await (await broker.visit(1)).hello(), await (await broker.visit(2)).hello()];
    expect(one.instance).not.toBe(other.instance);
    expect([one.attempt, other.attempt]).toEqual([1, 1]);
  });
});

describe('a conflict', () => {
  it('says where another process of this very machine has the seat', async () => {
    const { client, visit, all, event } = await seated();
    visit.cut();
    const same = { ...holder, sameMachine: true } as const;
    (await broker.visit(2)).say({ type: 'conflict', holder: same });
    await event('conflict');
    expect([client.state, all('conflict')]).toEqual(['conflict', [{ holder: same }]]);
  });

  it('leaves the connection open for a person to take over', async () => {
    const { client, all, event, state } = observe({ onConflict: 'deny' });
    const visit = await broker.visit(1);
    expect((await visit.hello()).onConflict).toBe('deny');
    visit.say(conflict);
    await event('conflict');
    expect([client.state, client.holdsLease(), all('conflict')]).toEqual(['conflict', false, [{ holder }]]);
    client.takeOver();
    client.takeOver();
    await visit.until('takeover');
    visit.say(welcome());
    await state('active');
    expect(visit.received.map(({ type }) => type)).toEqual(['hello', 'takeover']);
  });

  it('can be taken over again after a refusal', async () => {
    const { client, event } = observe({ onConflict: 'deny' });
    const visit = await broker.visit(1);
    visit.say(conflict);
    await event('conflict');
    client.takeOver();
    await visit.until('takeover');
    visit.say({ type: 'error', code: 'rate_limited', message: 'slow down' });
    await event('error');
    client.takeOver();
    await eventually(() => visit.received.filter(({ type }) => type === 'takeover').length === 2);
  });

  it('ends the session that a reconnect asked for', async () => {
    const { client, visit, event } = await seated();
    visit.cut();
    (await broker.visit(2)).say(conflict);
    await event('conflict');
    expect([client.state, client.sessionId, client.holdsLease()]).toEqual(['conflict', null, false]);
  });

  it('may be answered in the listener itself', async () => {
    const { client } = observe({ onConflict: 'deny' });
    client.on('conflict', () => client.takeOver());
    const visit = await broker.visit(1);
    visit.say(conflict);
    await visit.until('takeover');
  });
});

describe('a token that ends', () => {
  it('is refreshed on the open connection, after as many tries as it takes', async () => {
    let calls = 0;
    const { visit, all } = await seated({
      getToken: (need) => {
        calls++;
        if (calls === 2) throw new Error('offline');
        return `${need}-${calls}`;
      },
    });
    visit.say({ type: 'token_expiring', inMs: 60_000 });
    expect((await visit.until('refresh')).token).toBe('token_expiring-3');
    expect(all('error')).toEqual([{ code: 'token_unavailable', message: 'offline' }]);
    expect(broker.visits).toHaveLength(1);
  });

  it('costs no storm where the broker warns of every new one', async () => {
    const getToken = vi.fn(() => 'a-short-one');
    const { visit } = await seated({ getToken });
    for (let warning = 0; warning < 5; warning++) visit.say({ type: 'token_expiring', inMs: 1_000 });
    await visit.until('refresh');
    for (let warning = 0; warning < 5; warning++) visit.say({ type: 'token_expiring', inMs: 1_000 });
    await sleep(500);
    expect(getToken).toHaveBeenCalledTimes(2);
  });
});
