import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ask } from '../support/admin.js';
import { withinOneHour } from '../support/calendar.js';
import { Desktop } from '../support/desktop.js';
import { adminTokenFor, startNode, tokenFor } from '../support/node.js';
import { testRedis } from '../support/redis.js';

let redis: RedisProcess;
let node: Broker;
const acme = '/v1/admin/orgs/acme';

beforeAll(async () => {
  await withinOneHour();
  redis = await testRedis();
  node = await startNode(redis.url);
});
afterAll(async () => {
  await node?.stop();
  await redis?.stop();
});

const hello = async (user: string, machine = 'laptop') => {
  const desktop = await Desktop.hello(node.ports.public, user, machine);
  return { desktop, welcome: await desktop.told('welcome') };
};

/** Reads a stream until a text has come. */
async function streamUntil(path: string, text: RegExp, headers: Record<string, string> = {}) {
  const gone = new AbortController();
  const response = await fetch(`http://127.0.0.1:${node.ports.admin}${path}`, {
    headers: { authorization: `Bearer ${adminTokenFor()}`, ...headers },
    signal: gone.signal,
  });
  let seen = '';
  for await (const chunk of response.body ?? []) {
    seen += Buffer.from(chunk).toString();
    if (text.test(seen)) break;
  }
  gone.abort();
  return { seen, type: response.headers.get('content-type') };
}

describe('a license desk', () => {
  it('shows what sessions a user had, with the program and, where the org says so, the address', async () => {
    await ask(node, 'PATCH', acme, { body: { addresses: 'keep' } });
    const client = { name: 'cad, "pro"', version: '4.2' };
    const desktop = await Desktop.hello(node.ports.public, 'hilda', 'desk', { client });
    const { sessionId } = await desktop.told('welcome');
    const path = `${acme}/history/hilda`;
    expect((await ask(node, 'GET', path)).body.items).toMatchObject([{ sessionId, ended: null, client }]);
    desktop.say({ type: 'release' });
    await desktop.close();
    const { body } = await ask(node, 'GET', path);
    const session = {
      kind: 'session',
      sessionId,
      reason: 'released',
      actor: 'user',
      address: '127.0.0.1',
      client,
    };
    expect(body).toMatchObject({
      items: [{ ...session, machine: { id: 'desk', name: 'desk' } }],
      next: null,
    });
    expect(body.items[0].hours).toBeCloseTo(
      (Date.parse(body.items[0].ended) - Date.parse(body.items[0].began)) / 3_600_000,
    );
    const csv = await ask(node, 'GET', `${acme}/history-export?user=hilda`);
    expect(csv.text.split('\r\n')[1]).toContain(
      ',"desk","desk","cad, ""pro""","4.2","127.0.0.1","released","user"',
    );
    const refused = await ask(node, 'GET', `${path}?from=2027-01-02T00:00:00Z&until=2027-01-01T00:00:00Z`);
    expect(refused).toMatchObject({ status: 422, body: { fields: [{ field: 'from' }] } });
    await ask(node, 'PATCH', acme, { body: { addresses: null } });
  });

  it('evicts: the program is told, the note is in the audit trail, and a hold keeps the user out', async () => {
    const { desktop, welcome } = await hello('ada');
    const body = { note: 'left the firm', holdMs: 60_000 };
    const answer = await ask(node, 'POST', `${acme}/sessions/ada/evict`, { body });
    const { sessionId, epoch } = welcome;
    expect(answer.body.evicted).toEqual({ sessionId, epoch });
    expect(Date.parse(answer.body.holdUntil)).toBeGreaterThan(0);
    expect((await desktop.told('evicted')).reason).toBe('evicted_by_admin');
    expect((await desktop.close()).code).toBe(4510);
    const { body: trail } = await ask(node, 'GET', `${acme}/events?type=ended&user=ada`);
    expect(trail.items[0]).toMatchObject({ actor: 'admin@*', details: { note: 'left the firm' } });
    const again = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    expect((await again.close()).code).toBeGreaterThanOrEqual(4500);
    expect((await ask(node, 'GET', `${acme}/sessions/ada`)).status).toBe(404);
  });

  it('evicts only the session that is meant', async () => {
    const { desktop, welcome } = await hello('grace');
    const body = { sessionId: welcome.sessionId, epoch: welcome.epoch - 1 };
    const answer = await ask(node, 'POST', `${acme}/sessions/grace/evict`, { body });
    expect(answer.body).toEqual({ evicted: null });
    const hold = await ask(node, 'POST', `${acme}/sessions/grace/evict`, {
      body: { ...body, holdMs: 60_000 },
    });
    expect(hold.body).toEqual({ evicted: null });
    await hello('grace', 'tower');
    const half = await ask(node, 'POST', `${acme}/sessions/grace/evict`, { body: { epoch: 1 } });
    expect([half.status, half.body.fields[0].field]).toEqual([422, 'sessionId']);
    expect((await desktop.close()).code).toBe(4509);
  });

  it('tells who is in, who still owns the seat, and the user who has it', async () => {
    const { welcome } = await hello('joan', 'tower');
    const { body: page } = await ask(node, 'GET', `${acme}/sessions?user=jo`);
    expect(page.items).toMatchObject([{ user: 'joan', machine: { id: 'tower', name: 'tower' } }]);
    const { sessionId, epoch } = welcome;
    const shown = { org: 'acme', user: 'joan', sessionId, epoch };
    const owner = await ask(node, 'POST', '/v1/introspect', { body: shown });
    expect(owner.body).toMatchObject({ active: true, machine: { id: 'tower' } });
    const old = await ask(node, 'POST', '/v1/introspect', { body: { ...shown, epoch: epoch - 1 } });
    expect(old.body).toEqual({ active: false });
    const foreign = { token: adminTokenFor('admin', 'globex'), body: shown };
    expect((await ask(node, 'POST', '/v1/introspect', foreign)).status).toBe(404);

    const mine = (token: string | null) =>
      fetch(`http://127.0.0.1:${node.ports.public}/v1/session`, {
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
      });
    const seat = await (await mine(tokenFor('joan'))).json();
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(seat).toEqual({ holder: { sessionId, machine: { name: 'tower' }, since } });
    expect(JSON.stringify(seat)).not.toContain(String(epoch));
    expect(await (await mine(tokenFor('nobody'))).json()).toEqual({ holder: null });
    expect([(await mine(null)).status, (await mine(adminTokenFor())).status]).toEqual([401, 401]);
  });

  it('goes through the life of a license', async () => {
    const all = `${acme}/licenses`;
    await ask(node, 'PATCH', acme, { body: { quota: 100, licenseMode: 'required' } });
    await ask(node, 'POST', all, { body: { user: 'mary', note: 'new' } });
    const { desktop } = await hello('mary');
    const suspended = await ask(node, 'POST', `${all}/mary/suspend`, { body: { note: 'unpaid' } });
    expect(suspended.body.license).toMatchObject({ status: 'suspended', note: 'unpaid' });
    expect(suspended.body.endedSessionId).not.toBeNull();
    expect((await desktop.close()).code).toBe(4511);
    expect((await ask(node, 'POST', `${all}/mary/suspend`)).body.code).toBe('wrong_status');
    const filtered = await ask(node, 'GET', `${all}?status=suspended`);
    expect(filtered.body.items).toHaveLength(1);
    await ask(node, 'POST', `${all}/mary/reinstate`);
    const expiry = { body: { expiresAt: '2099-01-01T00:00:00Z' } };
    const dated = await ask(node, 'PUT', `${all}/mary/expiry`, expiry);
    expect(dated.body.license.expiresAt).toBe('2099-01-01T00:00:00.000Z');
    const moved = await ask(node, 'POST', `${all}/mary/transfer`, { body: { to: 'lise' } });
    expect(moved.body.license).toMatchObject({ user: 'lise', status: 'active' });
    expect((await ask(node, 'POST', `${all}/lise/revoke`)).body.license.status).toBe('revoked');
    expect((await ask(node, 'GET', `${all}?status=revoked`)).body.items).toHaveLength(1);
    await ask(node, 'PATCH', acme, { body: { licenseMode: null } });
    expect((await ask(node, 'GET', `${acme}/unused-licenses?days=1`)).status).toBe(200);
  });

  it('tells how an org stands, and recounts; only an admin may repair', async () => {
    const { body: org } = await ask(node, 'GET', acme);
    expect(org.counts).toMatchObject({ revoked: 1, evictions: { evicted_by_admin: 1 } });
    expect(org.settings).toMatchObject({ quota: 100, licenseMode: null });
    const own = await ask(node, 'GET', '/v1/admin/orgs', { token: adminTokenFor('viewer', 'acme') });
    expect(own.body.items.map((item: { org: string }) => item.org)).toEqual(['acme']);
    const repair = { body: { repair: true } };
    const viewer = { ...repair, token: adminTokenFor('operator') };
    expect((await ask(node, 'POST', `${acme}/recount`, viewer)).status).toBe(403);
    expect((await ask(node, 'POST', `${acme}/recount`, repair)).body.differences).toEqual([]);
  });

  it('adds up all orgs and compares with the totals; only an admin may repair', async () => {
    const client = new Redis(redis.url);
    const recount = (repair: boolean, token = adminTokenFor('admin')) =>
      ask(node, 'POST', '/v1/admin/recount', { body: { repair }, token });
    expect((await recount(false, adminTokenFor('viewer'))).body).toMatchObject({ differences: [] });
    await client.hincrby('soleseat:totals', 'issued', 5);
    client.disconnect();
    expect((await recount(true, adminTokenFor('operator'))).status).toBe(403);
    const { body: found } = await recount(false);
    expect(found).toMatchObject({ differences: [{ total: 'issued' }], repaired: false });
    expect((await recount(true)).body).toEqual({ ...found, repaired: true });
    expect((await recount(false)).body.differences).toEqual([]);
  });

  it('knows machines and rules for them, usage as JSON and CSV, and nodes', async () => {
    const { body: machines } = await ask(node, 'GET', `${acme}/machines/ada`);
    expect(machines.items).toMatchObject([{ id: 'laptop', times: 1 }]);
    const rule = `${acme}/machine-rules/lap%2Ftop`;
    expect((await ask(node, 'PUT', rule, { body: { rule: 'deny' } })).status).toBe(200);
    const { body: rules } = await ask(node, 'GET', `${acme}/machine-rules`);
    expect(rules.items).toEqual([{ machineId: 'lap/top', rule: 'deny' }]);
    expect((await ask(node, 'DELETE', rule)).status).toBe(204);
    const { body: usage } = await ask(node, 'GET', `${acme}/usage`);
    expect(usage.items.at(-1)).toMatchObject({ grants: 6, uniqueUsers: 5 });
    const csv = await ask(node, 'GET', `${acme}/usage?by=hour`, { headers: { accept: 'text/csv' } });
    expect(csv.text).toMatch(/^"at","peak","grants",.*\r\n/);
    expect((await ask(node, 'GET', `${acme}/usage?by=hour&from=2020-01-01T00:00:00Z`)).status).toBe(422);
    const { body: nodes } = await ask(node, 'GET', '/v1/admin/nodes');
    expect(nodes.items).toMatchObject([{ nodeId: node.nodeId, isLive: true, state: 'ready' }]);
  });

  it('searches the audit trail by type, by who did it and by time, and tells which types there are', async () => {
    const typesIn = async (query: string) => {
      const { body } = await ask(node, 'GET', `${acme}/events?limit=500&${query}`);
      return new Set<string>(body.items.map(({ type }: { type: string }) => type));
    };
    const { body: acts } = await ask(node, 'GET', `${acme}/events?type=license.issued`);
    expect(
      acts.items.every(({ actor, role }: Record<string, string>) => actor !== undefined && role === 'admin'),
    ).toBe(true);
    expect(await typesIn('type=license.issued')).toEqual(new Set(['license.issued']));
    expect(await typesIn('type=issued'), 'its name in version 0.1').toEqual(new Set(['license.issued']));
    expect([...(await typesIn('actor=user'))].every((type) => type.startsWith('session.'))).toBe(true);
    expect(await typesIn('until=2020-01-01T00:00:00Z')).toEqual(new Set());
    expect((await typesIn('from=2020-01-01T00:00:00Z')).size).toBeGreaterThan(2);
    for (const place of ['events', 'events/stream', 'events/export']) {
      const { status, body } = await ask(node, 'GET', `${acme}/${place}?type=session.vanished`);
      expect([status, body.code]).toEqual([400, 'unknown_event_type']);
      expect(body.fields).toMatchObject([
        { field: 'type', problem: expect.stringContaining('session.ended') },
      ]);
    }
    expect((await ask(node, 'GET', `${acme}/events?from=yesterday`)).status).toBe(422);
  });

  it('follows the audit trail from where it left off, exports it, and watches live', async () => {
    const { body: trail } = await ask(node, 'GET', `${acme}/events`);
    const oldest = trail.items.at(-1).id as string;
    const headers = { 'last-event-id': oldest };
    const followed = await streamUntil(`${acme}/events/stream?type=held`, /holdUntil/, headers);
    expect(followed.type).toContain('text/event-stream');
    expect(followed.seen).toMatch(/id: \d+-\d+\ndata: \{/);
    const waiting = streamUntil(`${acme}/events/stream`, /newcomer/, { 'last-event-id': trail.items[0].id });
    await hello('newcomer');
    expect((await waiting).seen).not.toContain(`id: ${oldest}`);
    const bad = await ask(node, 'GET', `${acme}/events/stream`, { headers: { 'last-event-id': 'x' } });
    expect(bad.status).toBe(400);
    const exported = await ask(node, 'GET', `${acme}/events/export`);
    const idsIn = (text: string) =>
      text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).id]));
    const ids = idsIn(exported.text);
    expect(ids[0]).toBe(oldest);
    const exportOf = async (query: string) =>
      idsIn((await ask(node, 'GET', `${acme}/events/export?${query}`)).text);
    const msOf = (id: string) => Number(id.split('-')[0]);
    const middleMs = msOf(ids[Math.floor(ids.length / 2)] ?? '');
    const middle = new Date(middleMs).toISOString();
    expect(await exportOf(`from=${middle}`)).toEqual(ids.filter((id) => msOf(id) >= middleMs));
    expect(await exportOf(`until=${middle}`)).toEqual(ids.filter((id) => msOf(id) < middleMs));
    const live = await streamUntil('/v1/admin/live?org=acme', /\n\n/);
    expect(live.seen).toMatch(/^event: overview\ndata: \{.*"redis":\{"up":true\}/);
    expect(live.seen).toMatch(/"nodeEvictionLatency":(null|\{"medianMs":[\d.]+,"isOver":false\})/);
  });
});
