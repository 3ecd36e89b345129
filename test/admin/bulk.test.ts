import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { runImport } from '../../src/license/import.js';
import { type Answer, ask } from '../support/admin.js';
import { eventually } from '../support/eventually.js';
import { fileOf } from '../support/import-files.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { storeOn } from '../support/store.js';

let redis: RedisProcess;
let node: Broker;
let client: Redis;

beforeAll(async () => {
  redis = await testRedis();
  node = await startNode(redis.url, { SOLESEAT_COSTLY_PER_MINUTE: '0' });
  client = new Redis(redis.url);
});
afterAll(async () => {
  client?.disconnect();
  await node?.stop();
  await redis?.stop();
});

const importInto = (org: string, csv: string | Buffer, headers = {}) =>
  ask(node, 'POST', `/v1/admin/orgs/${org}/license-import`, {
    body: csv,
    headers: { 'content-type': 'text/csv', ...headers },
  });
const events = ({ text }: Answer) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const byUser = (rows: readonly { readonly user: string }[]) =>
  [...rows].sort((one, other) => (one.user < other.user ? -1 : 1));
const issuedIn = async (org: string) => {
  const { status, body } = await ask(node, 'GET', `/v1/admin/orgs/${org}/licenses`);
  return status === 404 ? 0 : body.items.length;
};
const differences = async (org: string) =>
  (await ask(node, 'POST', `/v1/admin/orgs/${org}/recount`, { body: {} })).body.differences;

describe('an import', () => {
  it('issues every line, says how far it is, and leaves its mark in the audit trail', async () => {
    const lines = Array.from({ length: 1200 }, (_, index) => `user${index},2099-01-01T00:00:00Z,`);
    const answer = await importInto('large', ['user,expiresAt,note', ...lines].join('\n'));
    expect(answer.status).toBe(200);
    const told = events(answer);
    expect(told[0]).toEqual({ type: 'progress', done: 0, total: 1200 });
    expect(told.length).toBeGreaterThan(3);
    expect(told.at(-1)).toEqual({ type: 'done', issued: 1200 });
    const { body } = await ask(node, 'GET', '/v1/admin/orgs/large');
    expect(body.counts.issued).toBe(1200);
    expect(await differences('large')).toEqual([]);
    const trail = await ask(node, 'GET', '/v1/admin/orgs/large/events?type=imported');
    expect(trail.body.items).toMatchObject([{ actor: 'admin@*', details: { licenses: '1200' } }]);
    expect(await client.keys('soleseat:{large}:imports')).toEqual([]);
  });

  it('reads quoted cells, columns in any order, a byte-order mark and any line ends', async () => {
    const csv = '\ufeffnote,user\r\n"says ""hi"", twice",ada\r\n\r\n,"grace"\n"on\u00a0one line",joan';
    expect(events(await importInto('quoted', csv)).at(-1)).toEqual({ type: 'done', issued: 3 });
    const { body } = await ask(node, 'GET', '/v1/admin/orgs/quoted/licenses/ada');
    expect(body).toMatchObject({ note: 'says "hi", twice', expiresAt: null, status: 'active' });
  });

  it('with bad lines imports nothing, and names every one of them', async () => {
    const csv = [
      'user,expiresAt,note',
      'fine,,',
      ',,',
      'ada,tomorrow,',
      'grace,2001-01-01T00:00:00Z,',
      'joan,,,x',
      'fine,,again',
      `${'x'.repeat(257)},,`,
      'mary,,"a\nb"',
      'last,,',
    ].join('\n');
    const answer = await importInto('bad', csv);
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe('bad_lines');
    expect(answer.body.lines.map(({ line }: { line: number }) => line)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(answer.body.lines[3].problem).toBe('the user stands on an earlier line too');
    expect(answer.body.badLines).toBe(6);
    expect(answer.body.faults).toHaveLength(6);
    expect(answer.body.faults[0]).toMatchObject({ count: 1, lines: [4] });
    expect(await issuedIn('bad')).toBe(0);
  });

  it.each([
    ['no header', 'ada,,\n', 1],
    ['the same column twice', 'user,user\nada,ada\n', 1],
    ['nothing', '', 1],
    ['a header alone', 'user\n', 1],
    ['a quote that never ends', 'user\nada\n"grace\n', 3],
    ['a quote within a cell', 'user\nad"a\n', 2],
  ])('of %s is refused', async (_, csv, line) => {
    const answer = await importInto('odd', csv);
    expect([answer.status, answer.body.lines[0].line]).toEqual([422, line]);
    expect(await issuedIn('odd')).toBe(0);
  });

  it('names the lines of users who have a license', async () => {
    await importInto('twice', 'user\nada\n');
    const answer = await importInto('twice', 'user\ngrace\nada\n');
    expect(answer.status).toBe(422);
    expect(answer.body.lines).toEqual([{ line: 3, problem: 'the user has a license' }]);
    expect(await issuedIn('twice')).toBe(1);
  });

  it('warns of users who have a license in other letters', async () => {
    await importInto('alike', 'user\nada@example.com\n');
    const told = events(await importInto('alike', 'user\nAda@Example.com\ngrace\n'));
    expect(told.at(-1)).toMatchObject({ type: 'done', issued: 2, warnings: [{ count: 1, lines: [2] }] });
  });

  it('beyond the quota is refused whole', async () => {
    await ask(node, 'PATCH', '/v1/admin/orgs/small', { body: { quota: 2 } });
    const answer = await importInto('small', 'user\na\nb\nc\n');
    expect([answer.status, answer.body.code, answer.body.missing]).toEqual([409, 'quota_exhausted', 1]);
    expect(await issuedIn('small')).toBe(0);
  });

  it('needs text/csv, uncompressed, of 16 MiB at most', async () => {
    expect((await importInto('raw', '{}', { 'content-type': 'application/json' })).status).toBe(415);
    expect((await importInto('raw', 'user\na', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await importInto('raw', Buffer.from([0x75, 0x0a, 0xff, 0xfe]))).status).toBe(422);
    expect((await importInto('raw', Buffer.alloc(16 * 1024 * 1024 + 1, 'a'))).status).toBe(413);
    expect(await issuedIn('raw')).toBe(0);
  });

  it('whose sender has gone, at whatever moment, leaves its place to the next', async () => {
    const body = `user\n${'gone\n'.repeat(1000)}`;
    const head = [
      'POST /v1/admin/orgs/gone/license-import HTTP/1.1',
      'Host: localhost',
      'Content-Type: text/csv',
      `Authorization: Bearer ${adminTokenFor()}`,
      `Content-Length: ${body.length}`,
      '\r\n',
    ].join('\r\n');
    // While Redis says nothing, before the body and after it, and at moments as they come.
    for (const sent of [head, head + body.slice(0, 10), head + body]) {
      for (let moment = 0; moment < 10; moment += 1) {
        if (moment === 0) await client.call('CLIENT', 'PAUSE', '200');
        const socket = connect(node.ports.admin, '127.0.0.1');
        await once(socket, 'connect');
        socket.write(sent);
        for (let turn = 0; turn < (moment === 0 ? 20 : moment * 2); turn += 1) await setImmediate();
        socket.resetAndDestroy();
      }
    }
    await eventually(
      'a place for the next',
      async () => (await importInto('gone', 'user\nada\n')).status === 200,
    );
  });

  it('that meets a license issued meanwhile takes back what it issued', async () => {
    const store = storeOn(client);
    const users = Array.from({ length: 500 }, (_, index) => `user${index}`);
    const meanwhile = { org: 'raced', user: 'user450', actor: 'other', id: 'l', requestId: 'r' };
    await store.licenses.issue(meanwhile);
    let ids = 0;
    await store.imports.begin('raced', 'i1', 'admin');
    const told = await runImport(
      store,
      { org: 'raced', actor: 'admin', ...fileOf(users) },
      { importId: 'i1', newId: () => `id${ids++}` },
      () => {},
    );
    expect(told).toEqual({
      type: 'failed',
      code: 'exists',
      lines: [{ line: 452, problem: 'exists' }],
      isUndone: true,
    });
    expect(await issuedIn('raced')).toBe(1);
    expect(await differences('raced')).toEqual([]);
    const trail = await ask(node, 'GET', '/v1/admin/orgs/raced/events?type=import_undone');
    expect(trail.body.items).toHaveLength(1);
  });

  it('whose node died is taken back by another node; nothing more can be issued for it', async () => {
    // Its sign of life is as old as this store's TTL allows at once, and of the node's a second TTL on.
    const store = storeOn(client, { leaseTtlMs: 3000 });
    await store.orgs.enter('orphan');
    await store.imports.begin('orphan', 'import1', 'admin');
    const order = (user: string) => ({ org: 'orphan', user, actor: 'admin', id: user, requestId: user });
    for (const user of ['ada', 'grace']) await store.licenses.issue({ ...order(user), importId: 'import1' });
    await store.licenses.issue(order('joan'));
    await eventually(async () => (await issuedIn('orphan')) === 1);
    expect((await ask(node, 'GET', '/v1/admin/orgs/orphan/licenses/joan')).status).toBe(200);
    expect(await store.imports.commit('orphan', 'import1', 'admin', 2)).toBe(false);
    const late = await store.licenses.issue({ ...order('mary'), importId: 'import1' });
    expect(late).toMatchObject({ outcome: 'refused', reason: 'import_ended' });
    expect(await differences('orphan')).toEqual([]);
  });

  it('that is alive is left alone', async () => {
    const store = storeOn(client);
    await store.imports.begin('busy', 'import1', 'admin');
    await store.nodes.announce(['busy']);
    await store.sweeper.sweep(1);
    expect(await store.imports.commit('busy', 'import1', 'admin', 0)).toBe(true);
  });
});

describe('an export', () => {
  it('has every license in the order of its issue, as CSV', async () => {
    const csv = 'user,expiresAt,note\nada,2099-01-01T00:00:00Z,"a, ""b"""\ngrace,,\n';
    await importInto('out', csv);
    await ask(node, 'POST', '/v1/admin/orgs/out/licenses/grace/suspend');
    const answer = await ask(node, 'GET', '/v1/admin/orgs/out/license-export');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [header, ...rows] = answer.text.trim().split('\r\n');
    expect(header).toBe(
      '"user","id","status","issuedAt","expiresAt","lastUsedAt","note","kind","startsAt","graceDays","idleExempt"',
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(
      /^"ada","[0-9a-f-]{36}","active","[^,]+Z","2099-01-01T00:00:00\.000Z","","a, ""b""","","","",""$/,
    );
    expect(rows[1]).toMatch(/^"grace","[0-9a-f-]{36}","suspended",/);
  });

  it('has what goes along with each license, and brings it back', async () => {
    const terms = {
      kind: 'trial; =1',
      startsAt: '2098-06-01T08:00:00.000Z',
      graceDays: 14,
      idleExempt: true,
    };
    const bodies = [{ user: 'ada', ...terms }, { user: 'ben', graceDays: 3650 }, { user: 'grace' }];
    for (const body of bodies)
      expect((await ask(node, 'POST', '/v1/admin/orgs/terms/licenses', { body })).status).toBe(201);
    const { text } = await ask(node, 'GET', '/v1/admin/orgs/terms/license-export');
    await importInto('terms2', text);
    const termsIn = async (org: string) => {
      const { body } = await ask(node, 'GET', `/v1/admin/orgs/${org}/licenses`);
      return byUser(
        body.items.map(({ user, kind, startsAt, graceDays, idleExempt }: Record<string, unknown>) => ({
          ...{ user, kind, startsAt, graceDays, idleExempt },
        })),
      );
    };
    expect(await termsIn('terms2')).toEqual(await termsIn('terms'));
    expect((await termsIn('terms2'))[0]).toEqual({ user: 'ada', ...terms });
  });

  it.each([
    ['Starts', '2098-06-01', { startsAt: '2098-05-31T22:00:00.000Z' }],
    ['starts on', '1.6.2098', { startsAt: '2098-05-31T22:00:00.000Z' }],
    ['Grace_Days', ' 7 ', { graceDays: 7 }],
    ['Idle exempt', 'Ja', { idleExempt: true }],
    ['idleExempt', 'no', { idleExempt: false }],
    ['KIND', 'Named user', { kind: 'Named user' }],
  ])('takes %s "%s" in the org’s zone as people write it', async (column, cell, expected) => {
    const org = `words-${column}-${cell}`.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
    await ask(node, 'PATCH', `/v1/admin/orgs/${org}`, { body: { timeZone: 'Europe/Berlin' } });
    await importInto(org, `user;${column}\nada;${cell}\n`);
    const { body } = await ask(node, 'GET', `/v1/admin/orgs/${org}/licenses/ada`);
    expect(body).toMatchObject(expected);
  });

  it.each([
    ['startsAt', '06/01/2098', 'the start is neither a day'],
    ['startsAt', 'soon', 'the start is neither a day'],
    ['graceDays', '-1', 'graceDays is no whole number'],
    ['graceDays', '3651', 'graceDays is no whole number'],
    ['graceDays', '1.5', 'graceDays is no whole number'],
    ['idleExempt', 'perhaps', 'idleExempt is neither'],
    ['kind', 'x'.repeat(257), 'the kind is longer'],
  ])('refuses %s "%s" with its line', async (column, cell, problem) => {
    const answer = await importInto('refused', `user,${column}\nada,${cell}\n`);
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body.faults)).toContain(problem);
  });

  it('holds no formula for a spreadsheet, and what it has of users and notes can be imported again', async () => {
    const formulas = [
      '=1+1',
      '+1',
      '-1',
      '@SUM(A1)',
      '＝1',
      'a;=1',
      "'=1",
      "''-1",
      "'quoted'",
      "'",
      '"',
      'a=b',
    ];
    const users = formulas.map((one, index) => `${one}#${index}`);
    // A name has no blanks at its ends; a note is kept as it is.
    const notes = [...formulas, '  =1+1', '\u00a0=1', ' a ', "' =1", '";"=1', 'a,b;c|d', '=1;=1', ' '];
    const given = notes.map((note, index) => ({ user: users[index] ?? `user${index}`, note }));
    for (const body of given) {
      expect((await ask(node, 'POST', '/v1/admin/orgs/formulas/licenses', { body })).status).toBe(201);
    }
    const { text } = await ask(node, 'GET', '/v1/admin/orgs/formulas/license-export');
    expect(text).not.toMatch(/(^|[,;|\n])[\s"]*[=+\-@＝]/);
    await importInto('formulas2', text);
    const { body } = await ask(node, 'GET', '/v1/admin/orgs/formulas2/licenses');
    const found = body.items.map(({ user, note }: { user: string; note: string }) => ({ user, note }));
    expect(byUser(found)).toEqual(byUser(given));
  });

  it('of a large org comes whole', async () => {
    const answer = await ask(node, 'GET', '/v1/admin/orgs/large/license-export');
    expect(answer.text.trim().split('\r\n')).toHaveLength(1201);
  });
});
