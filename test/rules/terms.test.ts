import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
const DAY_MS = 86_400_000;
const licenses = '/v1/admin/orgs/acme/licenses';
let node: Broker;

beforeAll(async () => {
  node = await startNode(redis.url, { SOLESEAT_LICENSE_MODE: 'required' });
});
afterAll(async () => node?.stop());

const at = (ms: number) => new Date(Date.now() + ms).toISOString();

async function issue(user: string, terms: object): Promise<void> {
  const answer = await ask(node, 'POST', licenses, { body: { user, ...terms } });
  expect(answer.status, answer.text).toBe(201);
}

async function change(user: string, terms: object) {
  const answer = await ask(node, 'PATCH', `${licenses}/${user}`, { body: terms });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.license;
}

async function dial(user: string): Promise<Desktop> {
  const desktop = await Desktop.hello(node.ports.public, user, 'pc');
  await desktop.until(() => desktop.find('welcome') !== undefined || desktop.closed !== null);
  return desktop;
}

/** As time would: the license ends, or begins, so many ms earlier. */
async function age(user: string, ms: number): Promise<void> {
  const key = `soleseat:{acme}:license:${user}`;
  for (const field of ['startsAt', 'expiresAt']) {
    if ((await redis.client.hexists(key, field)) === 1) await redis.client.hincrby(key, field, -ms);
  }
  await redis.client.zincrby('soleseat:{acme}:expiring', -ms, user);
  await redis.client.zadd('soleseat:due', 0, 'acme');
}

const statusOf = async (user: string) => (await ask(node, 'GET', `${licenses}/${user}`)).body.status;
const eventsOf = async (user: string) => {
  const { body } = await ask(node, 'GET', `/v1/admin/orgs/acme/events?user=${user}`);
  return body.items.map(({ type }: { type: string }) => type).reverse();
};

describe('a license', () => {
  it('that begins later lets in nobody before, and then does', async () => {
    await issue('ada', { startsAt: at(3_600_000) });
    expect((await dial('ada')).closed).toEqual({ code: 4513, reason: 'license_not_started' });
    await age('ada', 3_700_000);
    expect((await dial('ada')).find('welcome')).toBeDefined();
  });

  it('begins with a day of the org’s zone', async () => {
    await ask(node, 'PATCH', '/v1/admin/orgs/acme', { body: { timeZone: 'Asia/Tokyo' } });
    await issue('toki', { startsAt: '2031-01-01' });
    const { body } = await ask(node, 'GET', `${licenses}/toki`);
    expect(body.startsAt).toBe('2030-12-31T15:00:00.000Z');
    await ask(node, 'PATCH', '/v1/admin/orgs/acme', { body: { timeZone: null } });
  });

  it('tells what it is, and until when its grace lasts', async () => {
    const expiresAt = at(3_600_000);
    await issue('bob', { kind: 'trial', expiresAt, graceDays: 7 });
    const { license } = await (await dial('bob')).told('welcome');
    const endMs = Date.parse(expiresAt);
    expect(license).toMatchObject({ kind: 'trial', expiresAt: endMs, graceEndsAt: endMs + 7 * DAY_MS });
    await change('bob', { kind: null, graceDays: 0 });
    const { license: plain } = await (await dial('bob')).told('welcome');
    expect(Object.keys(plain ?? {}).sort()).toEqual(['expiresAt', 'id']);
  });

  it('in its grace goes on, and says so once; at the end of it the session ends', async () => {
    await issue('cleo', { expiresAt: at(3_600_000), graceDays: 2 });
    const desktop = await dial('cleo');
    await age('cleo', 3_600_001);
    await eventually(async () => (await eventsOf('cleo')).includes('license.grace_begun'));
    expect(await statusOf('cleo')).toBe('active');
    expect((await dial('cleo')).find('welcome')).toBeDefined();
    await redis.client.zadd('soleseat:due', 0, 'acme');
    await desktop.close();
    const holder = await dial('cleo');
    await age('cleo', 2 * DAY_MS);
    expect(await holder.close()).toEqual({ code: 4512, reason: 'license_expired' });
    expect(await statusOf('cleo')).toBe('expired');
    const events = await eventsOf('cleo');
    expect(events.filter((type: string) => type === 'license.grace_begun')).toHaveLength(1);
    expect(events.filter((type: string) => type === 'license.expired')).toHaveLength(1);
    expect((await dial('cleo')).closed?.reason).toBe('license_expired');
  });

  it('that has ended comes back by days of grace, and ends when they are taken away', async () => {
    await issue('dora', { expiresAt: at(1500) });
    await eventually(async () => (await statusOf('dora')) === 'expired');
    expect((await change('dora', { graceDays: 1 })).status).toBe('active');
    const desktop = await dial('dora');
    expect(desktop.find('welcome')?.license?.graceEndsAt).toBeGreaterThan(Date.now());
    await change('dora', { graceDays: null });
    expect(await desktop.close()).toEqual({ code: 4512, reason: 'license_expired' });
    expect(await statusOf('dora')).toBe('expired');
  });

  it('keeps its terms when it is transferred, and loses them when a revoked one is issued anew', async () => {
    await issue('eve', {
      kind: 'trial',
      startsAt: at(-1000),
      graceDays: 3,
      idleExempt: true,
      expiresAt: at(DAY_MS),
    });
    await ask(node, 'POST', `${licenses}/eve/transfer`, { body: { to: 'fay' } });
    const terms = { kind: 'trial', graceDays: 3, idleExempt: true };
    const { body } = await ask(node, 'GET', `${licenses}/fay`);
    expect(body).toMatchObject(terms);
    await ask(node, 'POST', `${licenses}/fay/revoke`, { body: {} });
    await issue('fay', {});
    const again = (await ask(node, 'GET', `${licenses}/fay`)).body;
    expect(again).toMatchObject({
      kind: null,
      startsAt: null,
      graceDays: 0,
      idleExempt: false,
      expiresAt: null,
    });
  });

  it('is changed with an event that tells what, and none where nothing is', async () => {
    await issue('gus', {});
    await change('gus', { kind: 'trial' });
    await change('gus', { kind: 'trial' });
    const events = await eventsOf('gus');
    expect(events.filter((type: string) => type === 'license.changed')).toHaveLength(1);
    await ask(node, 'POST', `${licenses}/gus/revoke`, { body: {} });
    expect((await ask(node, 'PATCH', `${licenses}/gus`, { body: { kind: 'x' } })).status).toBe(409);
    expect((await ask(node, 'PATCH', `${licenses}/nobody`, { body: { kind: 'x' } })).status).toBe(404);
  });

  it.each([
    [{ graceDays: -1 }, 'graceDays'],
    [{ graceDays: 1.5 }, 'graceDays'],
    [{ graceDays: 3651 }, 'graceDays'],
    [{ startsAt: 'tomorrow' }, 'startsAt'],
    [{ startsAt: '2027-02-30' }, 'startsAt'],
    [{ kind: '' }, 'kind'],
    [{ kind: 'a\u0000' }, 'kind'],
    [{ idleExempt: 'yes' }, 'idleExempt'],
  ])('with %j is refused by the name of the field', async (terms, field) => {
    for (const answer of [
      await ask(node, 'POST', licenses, { body: { user: 'wrong', ...terms } }),
      await ask(node, 'PATCH', `${licenses}/ada`, { body: terms }),
    ]) {
      expect(answer.status).toBe(422);
      expect(answer.body.fields[0].field).toBe(field);
    }
  });
});
