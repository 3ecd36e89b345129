import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../src/admin/routes/index.js';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { adminTokenFor, startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const roles = ['viewer', 'operator', 'admin', 'owner'] as const;
type Role = (typeof roles)[number];

/** Every route with the least role that may: as literals, so that no change of a role goes unseen. */
const expected: Readonly<Record<string, Role | null>> = {
  'GET /v1/openapi.json': null,
  'POST /v1/admin/session': null,
  'DELETE /v1/admin/session': null,
  'GET /v1/admin/session': 'viewer',
  'GET /v1/admin/orgs/{org}/licenses': 'viewer',
  'POST /v1/admin/orgs/{org}/licenses': 'admin',
  'GET /v1/admin/orgs/{org}/licenses/{user}': 'viewer',
  'POST /v1/admin/orgs/{org}/licenses/{user}/suspend': 'admin',
  'POST /v1/admin/orgs/{org}/licenses/{user}/reinstate': 'admin',
  'POST /v1/admin/orgs/{org}/licenses/{user}/revoke': 'admin',
  'POST /v1/admin/orgs/{org}/licenses/{user}/transfer': 'admin',
  'PUT /v1/admin/orgs/{org}/licenses/{user}/expiry': 'admin',
  'PATCH /v1/admin/orgs/{org}/licenses/{user}': 'admin',
  'POST /v1/admin/orgs/{org}/suspend': 'owner',
  'POST /v1/admin/orgs/{org}/reinstate': 'owner',
  'GET /v1/admin/orgs/{org}/revocations': 'viewer',
  'POST /v1/admin/orgs/{org}/revocations': 'admin',
  'PUT /v1/admin/orgs/{org}/licenses/{user}/note': 'admin',
  'GET /v1/admin/orgs/{org}/users/{user}': 'viewer',
  'PUT /v1/admin/orgs/{org}/users/{user}/hold': 'operator',
  'DELETE /v1/admin/orgs/{org}/users/{user}/hold': 'operator',
  'POST /v1/admin/orgs/{org}/users/{user}/rename': 'admin',
  'POST /v1/admin/orgs/{org}/users/{user}/forget': 'admin',
  'GET /v1/admin/orgs/{org}/unused-licenses': 'viewer',
  'POST /v1/admin/orgs/{org}/license-import': 'admin',
  'GET /v1/admin/orgs/{org}/license-export': 'viewer',
  'GET /v1/admin/orgs': 'viewer',
  'GET /v1/admin/orgs/{org}': 'viewer',
  'PATCH /v1/admin/orgs/{org}': 'admin',
  // With repair, the role admin is needed; see desk.test.ts.
  'POST /v1/admin/orgs/{org}/recount': 'viewer',
  // As the one before.
  'POST /v1/admin/recount': 'viewer',
  'GET /v1/admin/orgs/{org}/sessions': 'viewer',
  'GET /v1/admin/orgs/{org}/sessions/{user}': 'viewer',
  'POST /v1/admin/orgs/{org}/sessions/{user}/evict': 'operator',
  'POST /v1/introspect': 'viewer',
  'GET /v1/admin/orgs/{org}/machines/{user}': 'viewer',
  'GET /v1/admin/orgs/{org}/machine-rules': 'viewer',
  'PUT /v1/admin/orgs/{org}/machine-rules/{machineId}': 'admin',
  'DELETE /v1/admin/orgs/{org}/machine-rules/{machineId}': 'admin',
  'GET /v1/admin/orgs/{org}/events': 'viewer',
  'GET /v1/admin/orgs/{org}/events/stream': 'viewer',
  'GET /v1/admin/orgs/{org}/events/export': 'viewer',
  'GET /v1/admin/orgs/{org}/history/{user}': 'viewer',
  'GET /v1/admin/orgs/{org}/history-export': 'viewer',
  'GET /v1/admin/orgs/{org}/usage': 'viewer',
  'GET /v1/admin/webhooks': 'owner',
  'POST /v1/admin/webhooks': 'owner',
  'GET /v1/admin/webhooks/{webhook}': 'owner',
  'PATCH /v1/admin/webhooks/{webhook}': 'owner',
  'DELETE /v1/admin/webhooks/{webhook}': 'owner',
  'POST /v1/admin/webhooks/{webhook}/rotate-secret': 'owner',
  'POST /v1/admin/webhooks/{webhook}/test': 'owner',
  'GET /v1/admin/webhooks/{webhook}/parked': 'owner',
  'POST /v1/admin/webhooks/{webhook}/replay': 'owner',
  'GET /v1/admin/nodes': 'viewer',
  'GET /v1/admin/live': 'viewer',
};
const forAllOrgsOnly: readonly string[] = ['POST /v1/admin/recount', 'GET /v1/admin/nodes'];

let redis: RedisProcess;
let node: Broker;

beforeAll(async () => {
  redis = await testRedis();
  node = await startNode(redis.url);
  await ask(node, 'POST', '/v1/admin/orgs/acme/licenses', { body: { user: 'ada' } });
  await ask(node, 'POST', '/v1/admin/orgs/globex/licenses', { body: { user: 'ada' } });
});
afterAll(async () => {
  await node?.stop();
  await redis?.stop();
});

const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

/** Asks with a field that no route knows: whoever is let in gets 422, and nothing happens. */
async function knock(name: string, token: string | null, org = 'acme') {
  const [method = '', template = ''] = name.split(' ');
  const path = template.replace('{org}', org).replaceAll(/\{\w+\}/g, 'ada');
  return (await ask(node, method, `${path}?nonsense=1`, { token })).status;
}

describe('what an org has bought', () => {
  const change = (body: object, token: string, org = 'acme') =>
    ask(node, 'PATCH', `/v1/admin/orgs/${org}`, { body, token });

  it.each([{ quota: 9 }, { quota: null }, { licenseMode: 'open' }, { quota: 9, containers: 'allow' }])(
    'is set by the owner and by no admin of the org: %j',
    async (body) => {
      const before = (await ask(node, 'GET', '/v1/admin/orgs/acme')).body.settings;
      const refused = await change(body, adminTokenFor('admin', 'acme'));
      expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect((await ask(node, 'GET', '/v1/admin/orgs/acme')).body.settings).toEqual(before);
      const done = await change(body, adminTokenFor('owner'));
      expect(done).toMatchObject({ status: 200, body: { settings: body } });
      await change({ quota: null, licenseMode: null, containers: null }, adminTokenFor('owner'));
    },
  );

  it('is set by an admin of all orgs too, in this version; the log says so', async () => {
    expect((await change({ quota: 7 }, adminTokenFor('admin'))).status).toBe(200);
    expect((await change({ quota: 8 }, adminTokenFor('operator'))).status).toBe(403);
    const { body } = await ask(node, 'GET', '/v1/admin/orgs/acme/events?type=org.changed');
    expect(body.items[0]).toMatchObject({ actor: 'admin@*', role: 'admin', details: { quota: '7' } });
  });

  it('leaves the rules for machines to the admin of the org', async () => {
    const rules = { containers: 'allow', machines: 'listed', addresses: 'keep' };
    expect((await change(rules, adminTokenFor('admin', 'acme'))).status).toBe(200);
    await change({ containers: null, machines: null, addresses: null }, adminTokenFor('admin', 'acme'));
  });
});

describe('the roles of the admin API', () => {
  it('are known for every route', () => {
    expect(Object.fromEntries(allRoutes.map((route) => [nameOf(route), route.role]))).toEqual(expected);
    expect(allRoutes.filter(({ allOrgs }) => allOrgs).map(nameOf)).toEqual(forAllOrgsOnly);
  });

  const guarded = Object.entries(expected).filter(([, role]) => role !== null) as [string, Role][];
  const rows = guarded.flatMap(([name, least]) => roles.map((role) => ({ name, least, role })));

  it.each(rows)(
    '$name: a token of a $role is judged by the least role, $least',
    async ({ name, least, role }) => {
      // In this version an admin of all orgs counts as an owner.
      const held = role === 'admin' ? 'owner' : role;
      expect(await knock(name, adminTokenFor(role))).toBe(
        roles.indexOf(held) >= roles.indexOf(least) ? 422 : 403,
      );
      const may = roles.indexOf(role) >= roles.indexOf(least);
      const mayWithOneOrg = may && !forAllOrgsOnly.includes(name);
      // An owner is of all orgs.
      if (role === 'owner') return;
      expect(await knock(name, adminTokenFor(role, 'acme'))).toBe(mayWithOneOrg ? 422 : 403);
    },
  );

  it.each(guarded)('%s: no token, a client token and an expired one are not accepted', async (name) => {
    expect(await knock(name, null)).toBe(401);
    // Not by a client's token, however current it is; failed log-ins are counted, so not all of these are 401.
    expect([401, 429]).toContain(await knock(name, tokenFor('ada')));
    expect([401, 429]).toContain(await knock(name, adminTokenFor('admin', '*', -10)));
  });

  const ofOrgs = guarded.filter(([name]) => name.includes('{org}'));
  it.each(ofOrgs)("%s: another org's data is as if it were not there", async (name, role) => {
    // What is the owner's is refused whatever the org.
    const status = role === 'owner' ? 403 : 404;
    expect(await knock(name, adminTokenFor('admin', 'globex'))).toBe(status);
    expect(await knock(name, adminTokenFor('admin', 'globex'), 'nowhere')).toBe(status);
  });
});
