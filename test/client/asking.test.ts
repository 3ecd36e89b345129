import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientEvents, ConnectOptions, SessionClient } from '../../packages/client/src/node.js';
import { eventually } from '../support/eventually.js';
import { observe, ScriptedBroker, welcome } from './scripted-broker.js';

const holder = { machine: { name: 'Laptop' }, since: 1 } as const;
const conflict = { type: 'conflict', holder, elapsedMs: 0 } as const;
const asked = { ...conflict, asking: true, waitMs: 15_000 } as const;

let broker: ScriptedBroker;
let client: SessionClient;
beforeEach(async () => {
  broker = await ScriptedBroker.start();
});
afterEach(() => {
  client.disconnect();
  broker.stop();
});

async function start(options: Partial<ConnectOptions> = {}) {
  const observed = observe(broker.url, options);
  client = observed.client;
  const visit = await broker.visit(1);
  return { ...observed, visit, hello: await visit.hello() };
}

describe('the one who asks', () => {
  it('asks at the first attempt where the program says so, and comes back without asking', async () => {
    const { hello, visit, all } = await start({ onConflict: 'ask' });
    expect(hello.onConflict).toBe('ask');
    visit.say(asked);
    await eventually(() => all('conflict').length === 1);
    expect(all('conflict')).toEqual([{ holder, asking: true, waitMs: 15_000 }]);
    visit.cut();
    expect((await (await broker.visit(2)).hello()).onConflict).toBe('deny');
  });

  it('asks once at a click, and again only after a no', async () => {
    const { visit, state } = await start({ onConflict: 'deny' });
    visit.say(conflict);
    await state('conflict');
    client.ask();
    client.ask();
    const second = await broker.visit(2);
    expect((await second.hello()).onConflict).toBe('ask');
    second.say(asked);
    await state('conflict');
    client.ask();
    await second.ping();
    expect(broker.visits.length).toBe(2);
    let refused = 0;
    client.on('askRefused', () => refused++);
    second.say({ type: 'ask_refused' });
    await eventually(() => refused === 1);
    expect(client.state).toBe('conflict');
    client.ask();
    expect((await (await broker.visit(3)).hello()).onConflict).toBe('ask');
  });

  it('gets the seat on the connection that waits, and counts on it for no longer than the node does', async () => {
    const { visit, state } = await start({ onConflict: 'ask' });
    visit.say(asked);
    await state('conflict');
    visit.say({ ...welcome({ ttlMs: 20_000 }), elapsedMs: 0 });
    await state('active');
    expect(client.leaseDeadline ?? 0).toBeLessThanOrEqual(performance.now() + 20_000);
    expect(client.holdsLease()).toBe(true);
  });

  it('may still take over, which asks nobody', async () => {
    const { visit, state } = await start({ onConflict: 'ask' });
    visit.say(asked);
    await state('conflict');
    client.takeOver();
    expect(await visit.until('takeover')).toEqual({ type: 'takeover' });
  });

  it('does not ask where the seat is here', async () => {
    const { visit, state } = await start();
    visit.say(welcome());
    await state('active');
    client.ask();
    await visit.ping();
    expect(broker.visits.length).toBe(1);
  });
});

describe('the holder', () => {
  type Request = ClientEvents['takeoverRequested'];

  async function seated() {
    const requests: Request[] = [];
    const observed = await start({ onTakeoverRequested: (request) => requests.push(request) });
    observed.visit.say(welcome());
    await observed.state('active');
    return { ...observed, requests };
  }

  const request = {
    type: 'takeover_requested',
    by: { machine: { name: 'Laptop' } },
    answerWithinMs: 5_000,
    elapsedMs: 0,
  } as const;

  it('is asked where its program answers, with the time that is left', async () => {
    const { hello, visit, requests } = await seated();
    expect(hello.asks).toBe(true);
    visit.say(request);
    await eventually(() => requests.length === 1);
    const [{ by, answerWithinMs, deadline } = { by: null, answerWithinMs: -1, deadline: 0 }] = requests;
    expect(by).toEqual({ machine: { name: 'Laptop' } });
    expect(answerWithinMs).toBeLessThanOrEqual(5_000);
    expect(answerWithinMs).toBeGreaterThan(3_000);
    expect(deadline).toBeLessThanOrEqual(performance.now() + 5_000);
  });

  it('answers, and keeps its seat until it is evicted', async () => {
    const { visit, requests, state } = await seated();
    visit.say(request);
    await eventually(() => requests.length === 1);
    client.answer(true, 1_500.4);
    expect(await visit.until('answer')).toEqual({ type: 'answer', yield: true, needMs: 1_500 });
    expect([client.state, client.holdsLease()]).toEqual(['active', true]);
    visit.say({ type: 'evicted', reason: 'taken_over', at: 1, epoch: 8 });
    await state('evicted');
    expect(client.holdsLease()).toBe(false);
  });

  it('hears that nobody asks any more', async () => {
    const { visit, requests } = await seated();
    let withdrawn = 0;
    client.on('takeoverWithdrawn', () => withdrawn++);
    visit.say(request, { type: 'takeover_withdrawn' });
    await eventually(() => withdrawn === 1);
    expect(requests.length).toBe(1);
    client.answer(false);
    expect(await visit.until('answer')).toEqual({ type: 'answer', yield: false });
  });

  it('is not asked where its program does not answer', async () => {
    const { hello } = await start();
    expect(hello.asks).toBeUndefined();
  });
});
