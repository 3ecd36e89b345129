import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
const org = '/v1/admin/orgs/acme';

beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node.stop());
beforeEach(async () => {
  for (const desktop of open.splice(0)) desktop.ws.terminate();
  const names = await redis.client.keys('soleseat:{acme}:*');
  if (names.length > 0) await redis.client.del(...names);
  await node.store.orgs.change('acme', { licenseMode: 'required' }, 'test');
});

const issue = (user: string) => ask(node, 'POST', `${org}/licenses`, { body: { user } });
const ignoreCase = () => ask(node, 'PATCH', org, { body: { letterCase: 'ignore' } });
const open: Desktop[] = [];
const sit = async (user: string, machine = 'desk') => {
  const desktop = await Desktop.hello(node.ports.public, user, machine);
  open.push(desktop);
  return desktop;
};
const seats = async () => {
  const { body } = await ask(node, 'GET', `${org}/sessions`);
  return body.items.map(({ user }: { user: string }) => user);
};

describe('an org that ignores case', () => {
  it('gives the one seat of a user under every spelling of the name', async () => {
    await issue('Ada@Example.com');
    const refused = await sit('ada@example.com');
    expect((await refused.close()).reason).toBe('license_required');
    expect((await ignoreCase()).body.settings).toMatchObject({ letterCase: 'ignore' });
    const first = await sit('ada@example.com');
    await first.told('welcome');
    const second = await sit('ADA@EXAMPLE.COM', 'laptop');
    expect((await second.told('welcome')).displaced).toEqual({ machine: { name: 'desk' } });
    expect((await first.close()).reason).toBe('taken_over');
    expect(await seats()).toEqual(['Ada@Example.com']);
    const session = await fetch(`http://127.0.0.1:${node.ports.public}/v1/session`, {
      headers: { authorization: `Bearer ${tokenFor('adA@example.com')}` },
    });
    expect(((await session.json()) as { holder: object }).holder).toMatchObject({
      machine: { name: 'laptop' },
    });
  });

  it('keeps the first spelling of a new user, and goes by it in API and import', async () => {
    await ignoreCase();
    expect((await issue('Grace')).body.user).toBe('Grace');
    expect((await issue('GRACE')).body.code).toBe('exists');
    expect((await ask(node, 'GET', `${org}/licenses/grace`)).body.user).toBe('Grace');
    const held = await ask(node, 'POST', `${org}/sessions/gRACE/evict`, { body: { holdMs: 60_000 } });
    expect(held.status).toBe(200);
    expect((await (await sit('grace')).close()).reason).toBe('evicted_by_admin');
    await ask(node, 'POST', `${org}/sessions/grace/evict`, { body: { holdMs: 0 } });
    const events = await ask(node, 'GET', `${org}/events?user=GRACE&type=license.issued`);
    expect(events.body.items).toHaveLength(1);
    const csv = (body: string) =>
      ask(node, 'POST', `${org}/license-import`, { headers: { 'content-type': 'text/csv' }, body });
    expect((await csv('user\nJoan\nJOAN\n')).text).toContain('the user stands on an earlier line too');
    expect((await csv('user\nGRACE\n')).text).toContain('the user has a license');
    expect((await csv('user\nJoan\n')).text).toContain('"done"');
    expect((await ask(node, 'GET', `${org}/licenses/joan`)).body.user).toBe('Joan');
    await issue('kurt');
    await ask(node, 'POST', `${org}/licenses/kurt/transfer`, { body: { to: 'Mary' } });
    expect((await ask(node, 'POST', `${org}/licenses/grace/transfer`, { body: { to: 'MARY' } })).status).toBe(
      409,
    );
  });

  it('is asked in the step that issues or transfers: two desks at once make one user', async () => {
    await ignoreCase();
    await issue('Grace');
    await issue('kurt');
    const { licenses } = node.store;
    const order = { org: 'acme', actor: 'test' };
    const again = await licenses.issue({ ...order, user: 'GRACE', id: 'l2', requestId: 'q2' });
    expect(again).toMatchObject({ outcome: 'refused', reason: 'exists' });
    const moved = await licenses.transfer({ ...order, user: 'kurt', to: 'GRACE' });
    expect(moved).toMatchObject({ outcome: 'refused', reason: 'exists' });
  });

  it('does not take a name that was only refused for a user', async () => {
    await (await sit('ANN')).close();
    await issue('ann');
    await ask(node, 'POST', `${org}/licenses/ann/revoke`);
    expect((await ignoreCase()).status).toBe(200);
    const { body } = await ask(node, 'GET', `${org}/licenses/ANN`);
    expect(body).toMatchObject({ user: 'ann', status: 'revoked' });
  });

  it('lets in one of two first claims at the same moment, whatever their spelling', async () => {
    await ask(node, 'PATCH', org, { body: { licenseMode: 'open', letterCase: 'ignore' } });
    const all = await Promise.all(['Zoe', 'ZOE', 'zoe', 'zOE'].map((user, index) => sit(user, `m${index}`)));
    const ends = await Promise.all(
      all.map((desktop) =>
        Promise.race([
          desktop.close().then(({ reason }) => reason),
          desktop.told('lease').then(() => 'holds'),
        ]),
      ),
    );
    expect(ends.sort()).toEqual(['holds', 'taken_over', 'taken_over', 'taken_over']);
    expect(await seats()).toHaveLength(1);
  });

  it('takes a refreshed token under another spelling, and none of somebody else', async () => {
    await ask(node, 'PATCH', org, { body: { licenseMode: 'open', letterCase: 'ignore' } });
    const desktop = await sit('Zoë', 'laptop');
    await desktop.told('welcome');
    const leases = () => desktop.received.filter(({ type }) => type === 'lease').length;
    for (const name of ['ZOË', 'zoe\u0308', 'Zoë']) {
      desktop.say({ type: 'refresh', token: tokenFor(name) });
      const seen = leases();
      await eventually(() => leases() > seen + 1 || desktop.closed !== null);
      expect(desktop.closed, name).toBeNull();
    }
    desktop.say({ type: 'refresh', token: tokenFor('zoe') });
    expect((await desktop.close()).code).toBe(4501);
  });

  it('does not, where case counts: the other spelling is another person', async () => {
    await ask(node, 'PATCH', org, { body: { licenseMode: 'open', letterCase: null } });
    const desktop = await sit('zoe', 'laptop');
    await desktop.told('welcome');
    desktop.say({ type: 'refresh', token: tokenFor('Zoe') });
    expect((await desktop.close()).code).toBe(4501);
  });

  it('finds sessions by the beginning of a name in any case, and only then', async () => {
    await ask(node, 'PATCH', org, { body: { licenseMode: 'open', letterCase: 'ignore' } });
    for (const [index, user] of ['Émile', 'emil', 'EMma', 'e[a-z]m', 'Bob'].entries())
      await (await sit(user, `m${index}`)).told('welcome');
    const found = async (text: string) => {
      const { body } = await ask(node, 'GET', `${org}/sessions?user=${encodeURIComponent(text)}`);
      return body.items.map(({ user }: { user: string }) => user).sort();
    };
    expect(await found('eM')).toEqual(['EMma', 'emil']);
    expect(await found('éM')).toEqual(['Émile']);
    expect(await found('E[')).toEqual(['e[a-z]m']);
    expect(await found('bOB')).toEqual(['Bob']);
    expect(await found('b?')).toEqual([]);
    await ask(node, 'PATCH', org, { body: { letterCase: null } });
    expect(await found('eM')).toEqual([]);
    expect(await found('EM')).toEqual(['EMma']);
  });

  it('is refused while two users with a license or a seat differ only so, and lists them', async () => {
    for (const user of ['Ann', 'ann', 'bob', 'Cleo', 'CLEO', 'cleo']) await issue(user);
    const { status, body } = await ignoreCase();
    expect([status, body.code]).toEqual([409, 'users_differ_in_case']);
    expect(body.clashes).toEqual([
      ['Ann', 'ann'],
      ['CLEO', 'Cleo', 'cleo'],
    ]);
    expect(body.fields[0].problem).toContain('Ann and ann');
    expect((await ask(node, 'GET', org)).body.settings.letterCase).toBeNull();
    for (const user of ['Ann', 'Cleo', 'cleo']) await ask(node, 'POST', `${org}/licenses/${user}/revoke`);
    expect((await ignoreCase()).status).toBe(200);
    expect((await ask(node, 'GET', `${org}/licenses/Ann`)).body).toMatchObject({
      user: 'ann',
      status: 'active',
    });
    expect((await ask(node, 'GET', `${org}/licenses/cleo`)).body).toMatchObject({ user: 'CLEO' });
  });

  it('finds whoever came in between the two looks, and takes the setting back', async () => {
    await issue('ann');
    const { orgs } = node.store;
    const change = orgs.change;
    let calls = 0;
    orgs.change = async (...given) => {
      calls += 1;
      if (calls === 1)
        await node.store.licenses.issue({ org: 'acme', user: 'ANN', actor: 'x', id: 'l', requestId: 'q' });
      return change.apply(orgs, given);
    };
    const { status, body } = await ignoreCase();
    orgs.change = change;
    expect([status, body.clashes]).toEqual([409, [['ANN', 'ann']]]);
    expect((await ask(node, 'GET', org)).body.settings.letterCase).toBeNull();
  });

  it('knows users of version 0.1, of whom no spelling is noted, and can count case again', async () => {
    await issue('Ada');
    await redis.client.del('soleseat:{acme}:spellings', 'soleseat:{acme}:aliases', 'soleseat:{acme}:names');
    await ignoreCase();
    expect((await ask(node, 'GET', `${org}/licenses/ada`)).body.user).toBe('Ada');
    await ask(node, 'PATCH', org, { body: { letterCase: null } });
    expect((await ask(node, 'GET', `${org}/licenses/ada`)).status).toBe(404);
    expect((await ask(node, 'GET', `${org}/licenses/Ada`)).status).toBe(200);
  });
});

describe('a denial', () => {
  it.each([
    ['Ada@Example.com', 'ada@example.com'],
    ['Ada@Example.com', 'ADA@EXAMPLE.COM'],
    ['ada@example.com', 'Ada@Example.com'],
    ['\u01f0an', 'J\u030can'],
  ])('names the license of %s to %s', async (licensed, user) => {
    await issue(licensed);
    const desktop = await sit(user);
    expect((await desktop.told('error')).message).toContain(
      `a license for ${licensed.normalize('NFC')} exists`,
    );
  });

  it('names none that was revoked', async () => {
    await issue('Ada');
    await ask(node, 'POST', `${org}/licenses/Ada/revoke`);
    const desktop = await sit('ada');
    await desktop.close();
    expect(desktop.received.filter(({ type }) => type === 'error')).toEqual([]);
  });
});
