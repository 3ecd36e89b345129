import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../support/eventually.js';
import { observe, ScriptedBroker, welcome } from './scripted-broker.js';

let broker: ScriptedBroker;
const clients: { disconnect(): void }[] = [];
/** Waits that no test sits out: what dials earlier was hurried. */
const slow = { firstMs: 3_600_000, maxMs: 3_600_000 };
const patient = { backoff: slow, random: () => 0.999 };

beforeEach(async () => {
  broker = await ScriptedBroker.start();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  for (const client of clients.splice(0)) client.disconnect();
  broker.stop();
});

function seat(options: Parameters<typeof observe>[1] = {}) {
  const observed = observe(broker.url, options);
  clients.push(observed.client);
  return observed;
}

/** A client that had the seat, has lost the connection, and waits for an hour. */
async function waiting() {
  const observed = seat(patient);
  const visit = await broker.visit(1);
  await visit.hello();
  visit.say(welcome());
  await observed.state('active');
  visit.cut();
  await observed.state('reconnecting');
  return observed;
}

describe('retryNow', () => {
  it('dials at once in place of a wait, resumes and displaces nobody', async () => {
    const { client } = await waiting();
    client.retryNow();
    const hello = await (await broker.visit(2)).hello();
    expect(hello).toMatchObject({ onConflict: 'deny', resume: { epoch: 7 } });
    client.retryNow();
    expect([client.state, broker.visits.length]).toEqual(['connecting', 2]);
  });

  it('tries again after a refusal for good, and after an eviction', async () => {
    const { client, state } = seat(patient);
    (await broker.visit(1)).close(4512, 'license_expired');
    await state('denied');
    client.retryNow();
    const second = await broker.visit(2);
    expect(await second.hello()).toMatchObject({ onConflict: 'deny' });
    second.say(welcome());
    await state('active');
    second.say({ type: 'evicted', reason: 'taken_over', at: 1, epoch: 9 });
    second.close(4509, 'taken_over');
    await eventually(() => second.closedWith !== null && client.state === 'evicted');
    client.retryNow();
    const third = await (await broker.visit(3)).hello();
    expect(third.onConflict).toBe('deny');
    expect(third.resume).toBeUndefined();
  });

  it('asks anew while a conflict waits', async () => {
    const { client, state } = seat(patient);
    (await broker.visit(1)).say({ type: 'conflict', holder: { machine: {}, since: 1 } });
    await state('conflict');
    client.retryNow();
    expect(await (await broker.visit(2)).hello()).toMatchObject({ onConflict: 'deny' });
  });

  it('does nothing while the seat is here, nor after the program has left', async () => {
    const { client, state } = seat(patient);
    (await broker.visit(1)).say(welcome());
    await state('active');
    client.retryNow();
    expect(client.state).toBe('active');
    client.disconnect();
    client.retryNow();
    expect([client.state, broker.visits.length]).toEqual(['closed', 1]);
  });
});

describe('a token source', () => {
  it('that hangs is told, and asked again; its late answer is ignored', async () => {
    const late: ((token: string) => void)[] = [];
    const { all } = seat({
      tokenTimeoutMs: 50,
      getToken: () => (late.length < 2 ? new Promise((resolve) => late.push(resolve)) : 'third'),
    });
    const visit = await broker.visit(1);
    for (const answer of late) answer('late');
    expect((await visit.hello()).token).toBe('third');
    expect(all('error')).toEqual(
      Array(2).fill({ code: 'token_unavailable', message: 'getToken gave no token within 50 ms' }),
    );
    expect(all('reconnecting')[0]).toMatchObject({ cause: { kind: 'token' } });
    expect(broker.visits).toHaveLength(1);
  });
});

describe('a computer that wakes', () => {
  it('does not sit out what is left of a wait: the clock has jumped', async () => {
    await waiting();
    const wallMs = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(wallMs + 3_600_000);
    expect(await (await broker.visit(2)).hello()).toMatchObject({ onConflict: 'deny' });
  });

  it.for(['online', 'pageshow', 'visibilitychange'])('does not where its browser says %s', async (event) => {
    const page = new EventTarget();
    const view = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    vi.stubGlobal('document', view);
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    const { client, all } = await waiting();
    Object.assign(view, { visibilityState: 'hidden' });
    view.dispatchEvent(new Event('visibilitychange'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([client.state, broker.visits.length]).toEqual(['reconnecting', 1]);
    Object.assign(view, { visibilityState: 'visible' });
    (event === 'visibilitychange' ? view : page).dispatchEvent(new Event(event));
    expect(await (await broker.visit(2)).hello()).toMatchObject({ onConflict: 'deny' });
    expect(all('reconnecting')).toHaveLength(1);
  });

  it('judges its lease before it tries', async () => {
    let offsetMs = 0;
    const observed = seat({
      ...patient,
      clock: { now: () => performance.now() + offsetMs },
    });
    const page = new EventTarget();
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    const visit = await broker.visit(1);
    await visit.hello();
    visit.say(welcome());
    await observed.state('active');
    visit.cut();
    await observed.state('reconnecting');
    let wasToldFirst: boolean | null = null;
    observed.client.on('leaseExpired', () => {
      wasToldFirst = broker.visits.length === 1;
    });
    offsetMs = 3_600_000;
    page.dispatchEvent(new Event('online'));
    expect(wasToldFirst).toBe(true);
    await broker.visit(2);
  });

  it('keeps to a wait that the broker asked for', async () => {
    const { client, state } = seat({ backoff: { firstMs: 1, maxMs: 1 } });
    const visit = await broker.visit(1);
    await visit.hello();
    visit.say({ type: 'error', code: 'rate_limited', message: 'slower', retryAfterMs: 3_600_000 });
    visit.close(4429, 'rate_limited');
    await state('reconnecting');
    const wallMs = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(wallMs + 3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect([client.state, broker.visits.length]).toEqual(['reconnecting', 1]);
  });
});

describe('a listener', () => {
  it('that throws, or rejects, breaks nothing and is reported', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { client, state } = seat();
    client.on('welcome', () => {
      throw new Error('at once');
    });
    client.on('welcome', async () => {
      throw new Error('later');
    });
    (await broker.visit(1)).say(welcome());
    await state('active');
    await eventually(() => reported.mock.calls.length === 2);
    expect(reported.mock.calls.map(([text]) => text)).toEqual(
      Array(2).fill('soleseat: a listener of "welcome" threw'),
    );
  });
});
