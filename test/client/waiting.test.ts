import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionClient } from '../../packages/client/src/node.js';
import { eventually } from '../support/eventually.js';
import { observe, ScriptedBroker, welcome } from './scripted-broker.js';

const conflict = {
  type: 'conflict',
  holder: { machine: { name: 'Laptop' }, since: 1 },
  elapsedMs: 0,
} as const;

let broker: ScriptedBroker;
let client: SessionClient;
beforeEach(async () => {
  broker = await ScriptedBroker.start();
});
afterEach(() => {
  client.disconnect();
  broker.stop();
});

async function waiting() {
  const observed = observe(broker.url, { onConflict: 'deny' });
  client = observed.client;
  const visit = await broker.visit(1);
  await visit.hello();
  visit.say(conflict);
  await observed.state('conflict');
  const claims = () => visit.received.filter(({ type }) => type === 'takeover');
  return { ...observed, visit, claims };
}

describe('while a conflict waits', () => {
  it('a free seat is told, and taken without displacing anybody', async () => {
    const { visit, claims, state, all } = await waiting();
    client.on('seatFree', () => client.takeIfFree());
    visit.say({ type: 'seat_free' });
    await eventually(() => claims().length === 1);
    expect(claims()).toEqual([{ type: 'takeover', ifFree: true }]);
    visit.say(conflict);
    await eventually(() => all('conflict').length === 2);
    visit.say({ type: 'seat_free' });
    await eventually(() => claims().length === 2);
    visit.say(welcome());
    await state('active');
  });

  it('a click that comes before the answer to that follows the answer', async () => {
    const { visit, claims, state } = await waiting();
    client.takeIfFree();
    client.takeOver();
    client.takeOver();
    await eventually(() => claims().length === 1);
    await visit.ping();
    expect(claims()).toEqual([{ type: 'takeover', ifFree: true }]);
    visit.say(conflict);
    await eventually(() => claims().length === 2);
    expect(claims()[1]).toEqual({ type: 'takeover' });
    visit.say(welcome());
    await state('active');
  });

  it('a click that was granted by that answer asks for nothing more', async () => {
    const { visit, claims, state } = await waiting();
    client.takeIfFree();
    client.takeOver();
    visit.say(welcome());
    await state('active');
    await visit.ping();
    expect(claims().length).toBe(1);
  });

  it('a free seat does not take back a click', async () => {
    const { visit, claims } = await waiting();
    client.takeOver();
    client.takeIfFree();
    await eventually(() => claims().length === 1);
    await visit.ping();
    expect(claims()).toEqual([{ type: 'takeover' }]);
  });
});

it('without a connection that waits, nothing is taken: only a person cuts a wait short', async () => {
  const { visit, state } = await waiting();
  visit.close(4511, 'license_suspended');
  await state('denied');
  client.takeIfFree();
  expect([client.state, broker.visits.length]).toEqual(['denied', 1]);
  client.retryNow();
  expect((await (await broker.visit(2)).hello()).onConflict).toBe('deny');
});

it('a seat that is here hears of no free seat, and is not asked for again', async () => {
  const { visit, state } = await waiting();
  visit.say(welcome());
  await state('active');
  client.takeIfFree();
  await visit.ping();
  expect(visit.received.map(({ type }) => type)).toEqual(['hello']);
  expect(broker.visits.length).toBe(1);
});
