import { generateKeyPairSync, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectOptions, SessionClient } from '../../packages/client/src/node.js';
import type { HelloMessage, WelcomeMessage } from '../../packages/client/src/protocol/messages.js';
import { brokerProof, leave, lookAtLeave, newLeave } from '../../packages/client/src/ticket.js';
import { eventually } from '../support/eventually.js';
import { observe, ScriptedBroker, sessionId, welcome } from './scripted-broker.js';

const DAY_MS = 86_400_000;
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1' }] };

function ticket(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const iat = Math.floor(Date.now() / 1_000);
  const all = {
    iss: 'soleseat',
    sub: 'ada',
    org: 'acme',
    machine: 'm1',
    sessionId,
    epoch: 7,
    iat,
    exp: iat + 86_400,
  };
  const signed = `${part({ alg: 'ES256', typ: 'soleseat-ticket+jwt', kid: 'k1' })}.${part({ ...all, ...claims })}`;
  const how = { key: pair.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${signed}.${sign('sha256', Buffer.from(signed), how).toString('base64url')}`;
}

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

async function seated(options: Partial<ConnectOptions> = {}) {
  const observed = await start(options);
  observed.visit.say(welcome());
  await observed.state('active');
  return observed;
}

describe('a seat is taken along', () => {
  it('when the broker has signed for it; the client is closed then, and stays away', async () => {
    const { visit, state, all } = await seated();
    const left = leave(client, DAY_MS);
    expect(await visit.until('leave')).toEqual({ type: 'leave', forMs: DAY_MS });
    expect(client.holdsLease()).toBe(true);
    visit.say({ type: 'left', ticket: ticket({}), forMs: DAY_MS, elapsedMs: 0 });
    const { ticket: kept, forMs } = await left;
    expect(forMs).toBeLessThanOrEqual(DAY_MS);
    expect(forMs).toBeGreaterThan(DAY_MS - 20_000);
    await state('closed');
    expect(all('closed')).toEqual([{ code: 1000, reason: 'left' }]);
    expect(client.holdsLease()).toBe(false);
    // 1000 without a reason would give the seat back.
    await eventually(() => visit.closedWith === 4000);
    expect(broker.visits.length).toBe(1);
    const look = await lookAtLeave(newLeave({ ticket: kept, forMs }), {
      keys,
      machine: 'm1',
      user: 'ada',
      org: 'acme',
    });
    expect(look.holds).toBe(true);
  });

  it('not where the broker refuses: the session goes on', async () => {
    const { visit } = await seated();
    const left = leave(client, DAY_MS);
    await visit.until('leave');
    visit.say({ type: 'error', code: 'flapping', message: 'about something else' });
    visit.say({ type: 'error', code: 'leave_not_allowed', message: 'The org does not allow it.' });
    await expect(left).rejects.toMatchObject({
      code: 'leave_not_allowed',
      message: 'The org does not allow it.',
    });
    expect([client.state, client.holdsLease()]).toEqual(['active', true]);
  });

  it('not where the connection is lost before: the session is resumed', async () => {
    const { visit } = await seated();
    const left = leave(client, DAY_MS);
    await visit.until('leave');
    visit.cut();
    await expect(left).rejects.toMatchObject({ code: 'connection_lost' });
    const hello = await (await broker.visit(2)).hello();
    expect(hello).toMatchObject({ onConflict: 'deny', resume: { sessionId } });
  });

  it('not without a seat', async () => {
    await start();
    await expect(leave(client, DAY_MS)).rejects.toMatchObject({ code: 'connection_lost' });
  });
});

it.each([{ forMs: Number.NaN }, { receivedMs: undefined }, { seenMs: '1' }, { forMs: null }])(
  'a record whose times are not numbers holds nothing: %j',
  async (broken) => {
    const record = { ...newLeave({ ticket: ticket({}), forMs: DAY_MS }), ...(broken as object) };
    const look = await lookAtLeave(record, { keys, machine: 'm1' });
    expect(look).toMatchObject({ holds: false, reason: 'bad_ticket' });
  },
);

it('the ticket of a leave is shown until a welcome comes, and the program is told to delete it', async () => {
  let ended = 0;
  const { visit, hello, state } = await start({ ticket: () => 'a-ticket' });
  client.on('leaveEnded', () => ended++);
  expect(hello.ticket).toBe('a-ticket');
  visit.cut();
  const second = await broker.visit(2);
  expect((await second.hello()).ticket).toBe('a-ticket');
  second.say(welcome());
  await state('active');
  expect(ended).toBe(1);
  // The program has not deleted it yet.
  second.cut();
  const third = await broker.visit(3);
  expect((await third.hello()).ticket).toBeUndefined();
  third.say(welcome({ resumed: true }));
  await state('active');
  expect(ended).toBe(1);
});

describe('with the keys of the vendor', () => {
  const proof = brokerProof(keys);
  const proven = ({ nonce }: HelloMessage, fields: object = {}): WelcomeMessage => ({
    ...welcome(),
    ticket: ticket({ nonce }),
    ...fields,
  });

  it('what comes behind a welcome waits until its ticket is checked, the close too', async () => {
    const { visit, hello, all } = await start({ proof });
    visit.say(proven(hello), { type: 'lease', epoch: 9, ttlMs: 30_000 });
    visit.say({ type: 'evicted', reason: 'taken_over', at: 1, epoch: 10 });
    visit.close(4509, 'taken_over');
    await eventually(() => all('closed').length === 1);
    const states = all('state').map((event) => 'state' in event && event.state);
    expect(states).toEqual(['active', 'evicted']);
    expect(all('lease')).toMatchObject([{ epoch: 9 }]);
    expect(all('closed')).toEqual([{ code: 4509, reason: 'taken_over' }]);
  });

  it('a broker that proves nothing is refused for good, and a person may try again', async () => {
    const { visit, state, all } = await start({ proof });
    visit.say(welcome());
    await state('denied');
    expect(all('denied')).toEqual([
      { code: 4000, reason: 'untrusted_broker', message: 'The broker showed no ticket.' },
    ]);
    expect(all('error')).toEqual([{ code: 'untrusted_broker', message: 'The broker showed no ticket.' }]);
    expect(all('welcome')).toEqual([]);
    client.retryNow();
    const second = await broker.visit(2);
    second.say(proven(await second.hello()));
    await state('active');
  });

  it('a seat that was here is not counted on any more where the next broker proves nothing', async () => {
    const { visit, hello, state } = await start({ proof });
    visit.say(proven(hello));
    await state('active');
    visit.cut();
    const second = await broker.visit(2);
    await second.hello();
    second.say({ type: 'lease', epoch: 99, ttlMs: 600_000 });
    await second.ping();
    expect(client.epoch).toBe(7);
    second.say({ ...welcome({ resumed: true }), ticket: ticket({ nonce: hello.nonce ?? '' }) });
    await state('denied');
    expect(client.holdsLease()).toBe(false);
  });
});

it('shared is handed on', async () => {
  const { visit, event, all } = await start();
  visit.say({ ...welcome(), shared: true });
  await event('welcome');
  expect(all('welcome')).toMatchObject([{ shared: true }]);
});
