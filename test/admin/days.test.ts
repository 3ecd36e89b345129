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
    expect(text).toContain(',2099-06-30,');
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
