import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CommandResult, ended, startCommand } from '../support/command.js';
import { FakeApi } from '../support/fake-api.js';
import { adminTokenFor } from '../support/node.js';

let api: FakeApi;

beforeAll(async () => {
  api = await FakeApi.start();
});
beforeEach(() => {
  api.asked.length = 0;
});
afterAll(() => api.stop());

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  const usual = { SOLESEAT_ADMIN_TOKEN: adminTokenFor('admin', 'acme'), SOLESEAT_ADMIN_URL: api.url };
  return ended(startCommand(args, { ...usual, ...env }));
}

describe('a long list', () => {
  const license = { status: 'active', issuedAt: '2026-01-01T00:00:00Z', expiresAt: null, lastUsedAt: null };
  const total = 1203;

  /** Pages as the broker gives them; the cursor is where the next one begins. */
  function answerPages(): void {
    api.answer = (request, response) => {
      const query = new URL(request.url ?? '', api.url).searchParams;
      const from = Number(query.get('cursor') ?? 0);
      const to = Math.min(total, from + Number(query.get('limit')));
      const items = Array.from({ length: to - from }, (_, index) => ({
        ...license,
        user: `user${from + index}`,
        machine: { id: 'desk' },
        since: license.issuedAt,
        nodeId: 'a-node',
      }));
      response.end(JSON.stringify({ items, next: to < total ? String(to) : null }));
    };
  }

  it.each([
    ['license', 'list'],
    ['license', 'unused'],
    ['session', 'list'],
  ])('%s %s comes whole', async (...command) => {
    answerPages();
    const rows = JSON.parse((await run([...command, '--json'])).out) as { user: string }[];
    expect([rows.length, rows.at(-1)?.user]).toEqual([total, `user${total - 1}`]);
  });

  it('ends where --limit says, beyond the first page too', async () => {
    answerPages();
    const { out } = await run(['license', 'list', '--limit', '501', '--json']);
    expect(JSON.parse(out)).toHaveLength(501);
  });
});

describe('a call that cannot be right', () => {
  it.each([
    ['a token with a line end', 'abc\ndef'],
    ['a token that is no JWT', 'abc.def'],
    ['an empty token', ''],
  ])('with %s ends with 2, asks nobody and does not show it', async (_, token) => {
    const { code, err } = await run(['license', 'list', '--org', 'acme', '--token', token]);
    expect([code, api.asked]).toEqual([2, []]);
    expect(err).toContain('an admin token is a JWT');
    expect(err).not.toMatch(/abc|def/);
  });

  it.each([
    'localhost:9090',
    'ftp://127.0.0.1',
    'http://127.0.0.1:9/admin',
    'http://127.0.0.1:9/?a=b',
    'http://me:secret@127.0.0.1:9',
    '127.0.0.1:9090',
    'http://',
  ])('with --url %s ends with 2 and the form', async (url) => {
    const { code, err } = await run(['license', 'list', '--url', url]);
    expect(code).toBe(2);
    expect(err).toContain('must be like http://127.0.0.1:9090');
    expect(err).not.toContain('secret');
  });
});

describe('a name that a URL cannot hold', () => {
  it.each([
    ['license', 'show', '..'],
    ['license', 'issue', '.'],
    ['license', 'transfer', 'ada', '..', '--yes'],
    ['license', 'show', ''],
    ['session', 'show', '.'],
    ['machine', 'list', '..'],
    ['machine', 'allow', '..'],
    ['license', 'list', '--org', '..'],
    ['license', 'list', '--org', ''],
  ])('%s %s %s %s ends with 2, and asks nobody', async (...args) => {
    api.always({ items: [], next: null });
    const { code, err } = await run(args.filter((arg) => arg !== undefined));
    expect([code, api.asked]).toEqual([2, []]);
    expect(err).toMatch(/^"\.{0,2}" cannot be the name of a user, an org or a machine/);
  });

  it('does not keep other names with dots out', async () => {
    api.always({ user: '...' });
    expect((await run(['license', 'show', '...'])).code).toBe(0);
    expect(api.asked).toEqual(['/v1/admin/orgs/acme/licenses/...']);
  });
});

describe('a call that contradicts itself', () => {
  it.each([
    ['usage', '--csv', '--json'],
    ['license', 'export', '--json'],
    ['machine', 'deny', 'm'.repeat(129)],
    ['machine', 'allow', 'm\u202e'],
  ])('%s %s %s ends with 2, and prints nothing', async (...args) => {
    api.always({ items: [], next: null });
    const { code, out, err } = await run(args.filter((arg) => arg !== undefined));
    expect([code, out, api.asked]).toEqual([2, '', []]);
    expect(err.trim()).not.toBe('');
  });

  it('does not keep a machine of 128 bytes off the lists, nor a longer one on them', async () => {
    api.always({});
    expect((await run(['machine', 'deny', 'm'.repeat(128)])).code).toBe(0);
    expect((await run(['machine', 'forget', 'm'.repeat(200)])).code).toBe(0);
  });
});
