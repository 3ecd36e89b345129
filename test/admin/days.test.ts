import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node.stop());

const org = '/v1/admin/orgs/acme';
const license = (user: string) => `${org}/licenses/${user}`;
const inZone = (timeZone: string | null) => ask(node, 'PATCH', org, { body: { timeZone } });
const issue = (user: string, expiresAt: string) =>
  ask(node, 'POST', `${org}/licenses`, { body: { user, expiresAt } });

describe('a bare date', () => {
  it('is the last full day, in the time zone of the org, and is shown as it was given', async () => {
    const { body: inUtc } = await issue('utc', '2099-06-30');
    expect(inUtc).toMatchObject({ expiresAt: '2099-07-01T00:00:00.000Z', expiresOn: '2099-06-30' });
    await inZone('Pacific/Auckland');
    const { body: inAuckland } = await issue('kiwi', '2099-06-30');
    expect(inAuckland).toMatchObject({ expiresAt: '2099-06-30T12:00:00.000Z', expiresOn: '2099-06-30' });
    const set = { body: { expiresAt: '2099-12-31' } };
    const { body: changed } = await ask(node, 'PUT', `${license('utc')}/expiry`, set);
    expect(changed.license).toMatchObject({ expiresAt: '2099-12-31T11:00:00.000Z', expiresOn: '2099-12-31' });
    const { text } = await ask(node, 'GET', `${org}/license-export`);
    expect(text).toContain(',"2099-06-30",');
  });

  it('moves with no change of the zone; what was given as a time is shown as one', async () => {
    await inZone('America/New_York');
    await issue('fixed', '2099-06-30');
    await inZone(null);
    const { body } = await ask(node, 'GET', license('fixed'));
    expect(body).toMatchObject({ expiresAt: '2099-07-01T04:00:00.000Z', expiresOn: '2099-06-30' });
    await ask(node, 'PUT', `${license('fixed')}/expiry`, { body: { expiresAt: '2099-01-01T10:00:00Z' } });
    const { body: timed } = await ask(node, 'GET', license('fixed'));
    expect(timed).toMatchObject({ expiresAt: '2099-01-01T10:00:00.000Z', expiresOn: null });
    await ask(node, 'PUT', `${license('fixed')}/expiry`, { body: { expiresAt: null } });
    expect((await ask(node, 'GET', license('fixed'))).body).toMatchObject({
      expiresAt: null,
      expiresOn: null,
    });
  });

  it('that an older node has changed to a time is not shown any more', async () => {
    await issue('mixed', '2099-06-30');
    // It sets the time, and knows nothing of a day.
    await redis.client.hset(
      'soleseat:{acme}:license:mixed',
      'expiresAt',
      String(Date.parse('2099-01-01T00:00:00Z')),
    );
    expect((await ask(node, 'GET', license('mixed'))).body).toMatchObject({ expiresOn: null });
  });

  it('goes with a license that is transferred', async () => {
    await issue('former', '2099-06-30');
    await ask(node, 'POST', `${license('former')}/transfer`, { body: { to: 'next' } });
    expect((await ask(node, 'GET', license('next'))).body).toMatchObject({ expiresOn: '2099-06-30' });
  });

  it.each(['2099-02-30', '30.06.2099x', '06/07/2099', '2099-06', ''])('is not %j', async (text) => {
    const { status, body } = await issue('nobody', text);
    expect([status, body.fields[0].field]).toEqual([422, 'expiresAt']);
  });
});

it.each(['Europe/Atlantis', 'x'.repeat(65), '', '../etc'])('there is no time zone %j', async (zone) => {
  const { status, body } = await inZone(zone);
  expect([status, body.fields[0].field]).toEqual([422, 'timeZone']);
});

describe('a bare date to search by', () => {
  const zoned = '/v1/admin/orgs/zoned';
  const ms = (time: string) => Date.parse(time);
  // A day of Auckland, which is 12 hours ahead of UTC in June.
  const times = [
    '2026-06-09T11:59:59Z',
    '2026-06-09T12:00:00Z',
    '2026-06-10T11:59:59Z',
    '2026-06-10T12:00:00Z',
  ];
  beforeAll(async () => {
    for (const [index, time] of times.entries()) {
      const fields = ['at', String(ms(time)), 'type', 'session.granted', 'sessionId', `s${index}`];
      await redis.client.xadd('soleseat:{zoned}:events', `${ms(time)}-0`, ...fields);
      const line = [
        'sessionId',
        `s${index}`,
        'since',
        String(ms(time)),
        'machine',
        'm',
        'reason',
        'released',
      ];
      await redis.client.xadd('soleseat:{zoned}:history:ann', `${ms(time)}-0`, ...line);
      await redis.client.hincrby(`soleseat:{zoned}:usage:${time.slice(0, 13)}`, 'granted', 10 ** index);
    }
    await redis.client.hset('soleseat:{zoned}:aliases', 'ann', 'a-key');
    await ask(node, 'PATCH', zoned, { body: { timeZone: 'Pacific/Auckland' } });
  });

  const sessionsAt = async (path: string) => {
    const { body } = await ask(node, 'GET', `${zoned}/${path}`);
    return body.items.map(({ sessionId }: { sessionId: string }) => sessionId).sort();
  };

  it.each(['events?type=session.granted&', 'history/ann?'])(
    'means the day of the org’s zone, from its first moment until its last: %s',
    async (path) => {
      expect(await sessionsAt(`${path}from=2026-06-10&until=2026-06-10`)).toEqual(['s1', 's2']);
      expect(await sessionsAt(`${path}from=2026-06-10`)).toEqual(['s1', 's2', 's3']);
      expect(await sessionsAt(`${path}until=2026-06-09`)).toEqual(['s0']);
      expect(await sessionsAt(`${path}until=2026-06-10T11:59:59Z`)).toEqual(['s0', 's1']);
    },
  );

  it('means the same in exports', async () => {
    const { text } = await ask(node, 'GET', `${zoned}/history-export?from=2026-06-10&until=2026-06-10`);
    expect(text.match(/"ann","s\d/g)).toEqual(['"ann","s1', '"ann","s2']);
    const events = await ask(node, 'GET', `${zoned}/events/export?from=2026-06-10&until=2026-06-10`);
    expect(events.text.match(/"s\d"/g)).toEqual(['"s1"', '"s2"']);
  });

  it('is a row of the usage, which says the zone', async () => {
    const { body } = await ask(node, 'GET', `${zoned}/usage?from=2026-06-10&to=2026-06-10`);
    expect(body).toMatchObject({
      timeZone: 'Pacific/Auckland',
      items: [{ at: '2026-06-09T12:00:00.000Z', day: '2026-06-10', grants: 110 }],
    });
    expect(body.items).toHaveLength(1);
    const csv = { headers: { accept: 'text/csv' } };
    const { text } = await ask(node, 'GET', `${zoned}/usage?from=2026-06-10&to=2026-06-10`, csv);
    expect(text.split('\r\n')[1]).toMatch(
      /^"2026-06-09T12:00:00\.000Z",.*,"2026-06-10","Pacific\/Auckland"$/,
    );
    const month = await ask(node, 'GET', `${zoned}/usage?by=hour&from=2026-03-15&to=2026-04-14`);
    expect(month.body.items, '31 days, one of which has 25 hours').toHaveLength(31 * 24 + 1);
  });

  it.each(['2026-02-30', 'yesterday', '2026-6-1', ''])('is not %j', async (text) => {
    for (const path of ['events', 'history/ann', 'usage', 'history-export'])
      expect((await ask(node, 'GET', `${zoned}/${path}?from=${text}`)).status, path).toBe(422);
  });

  it('is one of UTC in the trail of the owners, which is of no org', async () => {
    const { status } = await ask(node, 'GET', '/v1/admin/orgs/*/events?from=2026-06-10');
    expect(status).toBe(200);
  });
});
