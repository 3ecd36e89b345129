import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
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

describe('a time that is none', () => {
  it.each(['2027-02-30', '2027-01-31T24:00:00Z', '2027-01-31 12:00', 'tomorrow'])(
    '%s is not moved to one that is, and the broker is not asked',
    async (time) => {
      const { code, err } = await run(['license', 'issue', 'ada', '--expires', time]);
      expect(code).toBe(2);
      expect(err).toContain('2027-01-31T12:00:00Z');
      expect(api.asked).toEqual([]);
    },
  );
});

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

describe('what the broker says', () => {
  const esc = '\u001b[2Jada\u202e';
  const license = { user: esc, id: esc, status: 'active', issuedAt: '2026-01-01T00:00:00Z', expiresAt: null };
  const event = { id: '1-1', type: 'granted', at: '2026-01-01T00:00:00Z', user: esc, details: { note: esc } };

  it.each([
    ['a table', ['license', 'list'], { items: [license], next: null }],
    ['one record', ['license', 'show', 'ada'], license],
    ['a sentence', ['license', 'reinstate', 'ada'], { license, endedSessionId: null }],
    ['an event', ['events', 'tail', '--no-follow'], { items: [event], next: null }],
  ])('reaches the terminal without control characters: %s', async (_, args, body) => {
    api.always(body);
    const { code, out } = await run(args);
    expect([code, out.includes('ada')]).toEqual([0, true]);
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  it('reaches it without them when it is an error, too', async () => {
    api.answer = (_, response) =>
      void response.writeHead(422).end(
        JSON.stringify({
          title: esc,
          fields: [{ field: esc, problem: esc }],
          faults: [{ problem: esc, count: 1, lines: [2] }],
        }),
      );
    const { code, err } = await run(['license', 'list']);
    expect([code, err.split('\n').length]).toEqual([2, 4]);
    expect(err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  it('is an export as it came, spaces at the end included', async () => {
    api.answer = (_, response) => void response.end('user,note\r\nada,"a, b"\r\nbob,two  \r\n');
    expect((await run(['license', 'export'])).out).toBe('user,note\nada,"a, b"\nbob,two  \n');
    expect((await run(['usage', '--csv'])).out).toBe('user,note\nada,"a, b"\nbob,two  \n');
  });

  it('ends with 69 when it breaks off', async () => {
    api.answer = (request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('user,note\r\n', () => request.socket.destroy());
    };
    for (const args of [
      ['license', 'export'],
      ['license', 'show', 'ada'],
    ]) {
      const { code, err } = await run(args);
      expect([code, err.trim()]).toEqual([69, 'the connection to the broker was lost']);
    }
  });

  it('ends with 1 and a sentence when it is not what a broker says', async () => {
    api.answer = (_, response) => void response.end('<html>');
    const { code, err } = await run(['license', 'show', 'ada']);
    expect(code).toBe(1);
    expect(err).toContain('is --url the admin address of a broker?');
  });

  it('is asked about as many days as --days says', async () => {
    api.always({ items: [], next: null });
    const { out } = await run(['license', 'unused', '--days', '7']);
    expect(api.asked).toEqual([expect.stringContaining('days=7')]);
    expect(out).toContain('within 7 days');
  });

  it('makes a recount end with 1 when counters differ, and with 0 once they are repaired', async () => {
    const differences = [{ counter: 'issued', stored: 2, counted: 1 }];
    api.always({ licenses: 1, repaired: false, differences });
    expect(await run(['license', 'recount'])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/issued +2 +1/),
    });
    api.always({ licenses: 1, repaired: true, differences });
    expect((await run(['license', 'recount', '--repair', '--yes'])).code).toBe(0);
  });

  it('is not that a user gets no seat until now, when a hold was lifted', async () => {
    api.always({ evicted: null, holdUntil: '2026-01-01T00:00:00Z' });
    const lifted = await run(['session', 'evict', 'ada', '--hold', '0m', '--yes']);
    expect(lifted.out).toBe('ada had no session; no hold is left\n');
  });
});

describe('an import', () => {
  const file = fileURLToPath(import.meta.url);
  const failed = {
    type: 'failed',
    code: 'quota_exhausted',
    lines: [{ line: 3, problem: 'no' }],
    isUndone: true,
  };

  it('that failed half-way ends with 77, and names the lines', async () => {
    api.answer = (_, response) =>
      void response.end(`{"type":"progress","done":1,"total":2}\n${JSON.stringify(failed)}\n`);
    const { code, out, err } = await run(['license', 'import', file]);
    expect([code, out]).toEqual([77, '']);
    expect(err).toMatch(/quota_exhausted\. Nothing was imported\.\n {2}line 3: no/);
  });

  it.each([
    ['ends', (response: ServerResponse) => response.end()],
    ['breaks off', (response: ServerResponse) => response.destroy()],
  ])('whose answer %s half-way ends with 69', async (_, end) => {
    api.answer = (_request, response) => {
      response.write('{"type":"progress","done":1,"total":2}\n', () => end(response));
    };
    const { code, out, err } = await run(['license', 'import', file]);
    expect([code, out]).toEqual([69, '']);
    expect(err).toContain('half-way');
  });
});

describe('events tail', () => {
  it('loses nothing between the list and the stream, and shows nothing twice', async () => {
    const event = (id: string) => ({ id, type: 'granted', at: '2026-01-01T00:00:00Z', details: {} });
    const given: unknown[] = [];
    api.answer = (request, response) => {
      const url = new URL(request.url ?? '', api.url);
      const line = (id: string) => `id: ${id}\ndata: ${JSON.stringify(event(id))}\n\n`;
      if (url.pathname.endsWith('/stream')) {
        given.push(request.headers['last-event-id']);
        // 2-0 came after the first look and before the list, 3-0 after the list.
        response.write(line('2-0') + line('3-0'));
        return;
      }
      const items = url.searchParams.get('limit') === '1' ? [event('1-0')] : [event('2-0'), event('1-0')];
      response.end(JSON.stringify({ items, next: null }));
    };
    const env = { SOLESEAT_ADMIN_TOKEN: adminTokenFor('viewer', 'acme'), SOLESEAT_ADMIN_URL: api.url };
    const child = startCommand(['events', 'tail', '--json'], env);
    let out = '';
    child.stdout?.on('data', (chunk) => {
      out += chunk;
      if (out.includes('3-0')) child.kill('SIGINT');
    });
    expect((await ended(child)).code).toBe(130);
    const lines = out.trim().split('\n');
    expect([given, lines.map((one) => JSON.parse(one).id)]).toEqual([['1-0'], ['1-0', '2-0', '3-0']]);
  });
});
