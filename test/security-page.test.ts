import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsTable } from '../src/base/settings.js';

const root = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const page = read('docs/security.md');

const rowsBetween = (mark: string) =>
  (page.split(`<!-- ${mark} -->`)[1]?.split(`<!-- /${mark} -->`)[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) => line.slice(2, -2).split(' | ').map(unquoted));
const unquoted = (cell: string) => /^`([^`]*)`$/.exec(cell)?.[1] ?? cell;
const cases = (rows: readonly string[][]) =>
  rows.map(([first = '', second = '', third = '']) => [first, second, third] as const);

const claims = cases(rowsBetween('claims'));
const limits = cases(rowsBetween('limits'));

/** The place in the code of each limit that nobody can set; # stands for its number. */
const inCode: Readonly<Record<string, readonly [string, string]>> = {
  'connections of an address without a token that is accepted, in a minute': [
    'src/gateway/doorkeeper.ts',
    'STRANGERS_PER_MINUTE = #;',
  ],
  'addresses that a node counts in a minute; those beyond have only the node’s limit': [
    'src/gateway/doorkeeper.ts',
    'ADDRESSES_REMEMBERED = #;',
  ],
  'time for the head of a request, and for a TLS handshake': [
    'src/gateway/http-server.ts',
    'HEADERS_TIMEOUT_MS = #;',
  ],
  'size of the head of a request': ['src/gateway/http-server.ts', 'maxHeaderSize: #,'],
  'headers of a handshake': ['src/gateway/upgrade.ts', 'MAX_HEADERS = #;'],
  'characters of a token': ['src/auth/tokens.ts', 'maxTokenLength = #;'],
  'fragments of a message': ['src/gateway/gateway.ts', 'MAX_FRAGMENTS = #;'],
  'bad messages of a connection before it is closed': ['src/gateway/inbound.ts', 'STRIKES = #;'],
  'bytes of the name of a user or an org': ['src/protocol/text.ts', 'MAX_NAME_BYTES = #;'],
  'bytes of each text that a program says of itself': ['src/protocol/parse.ts', 'MAX_NAME_BYTES = #;'],
  'machines kept of a user, the newest': ['src/store/lua/machine.lua', "'ZCARD', machinesKey) - #\n"],
  'programs that hold one session together': ['src/store/lua/share.lua', 'most = # }'],
  'lines kept of a user’s history, the newest': ['src/store/lua/seat.lua', 'HISTORY_LINES = #\n'],
  'how long the history is kept': ['src/store/lua/seat.lua', 'HISTORY_MS = #\n'],
  'failed log-ins in a minute, of an address and of a name': [
    'src/admin/failed-log-ins.ts',
    'FAILURES_A_MINUTE = #;',
  ],
  'size of a body at the admin port, but for imports': [
    'src/admin/admin-server.ts',
    'BODY_BYTES = # * 1024;',
  ],
  'streams and exports open at a node, of a token': ['src/admin/streams.ts', 'OF_A_TOKEN = #;'],
  'streams and exports open at a node, of an org': ['src/admin/streams.ts', 'OF_AN_ORG = #;'],
  'streams and exports open at a node; of an owner, who gets in all the same': [
    'src/admin/streams.ts',
    'OF_ALL = #;',
  ],
  'imports at a node at a time, one of each org': ['src/admin/import-places.ts', 'AT_ONCE = #;'],
  webhooks: ['src/admin/routes/webhooks.ts', 'MAX_WEBHOOKS = #;'],
  'time for a webhook’s answer': ['src/outbox/sender.ts', 'TIMEOUT_MS = #;'],
  'events that wait for a webhook before it is parked': ['src/outbox/lane-types.ts', 'WAITING_AT_MOST = #;'],
  'events in the outbox, about': ['src/store/lua/past.lua', 'OUTBOX_AT_MOST = #\n'],
};

const units: Readonly<Record<string, number>> = { s: 1000, days: 86_400_000, KiB: 1024, MiB: 1024 * 1024 };

/** The number that a value stands for: in ms, in bytes, or as it is. */
function numberOf(value: string): number {
  const [, digits = '', unit = ''] = /^([\d,]+)(?: (\w+))?$/.exec(value) ?? [];
  return Number(digits.replaceAll(',', '') || Number.NaN) * (unit === '' ? 1 : (units[unit] ?? Number.NaN));
}

/** The default of a setting: `400d`, `90d`, or a plain number. */
function defaultOf(name: string): number {
  const text = Object.values(settingsTable).find((one) => one.name === name)?.default ?? '';
  return text.endsWith('d') ? Number(text.slice(0, -1)) * 86_400_000 : Number(text || Number.NaN);
}

function inCodeOf(limit: string): number {
  const [file = '', form = ''] = inCode[limit.replaceAll("'", '’')] ?? [];
  const [before = '', after = ''] = form.split('#');
  const text = read(file);
  const from = text.indexOf(before) + before.length;
  const digits = /^[\d_]+/.exec(text.slice(from))?.[0] ?? '';
  if (text.indexOf(before) < 0 || !text.slice(from + digits.length).startsWith(after)) return Number.NaN;
  const number = Number(digits.replaceAll('_', ''));
  return after.startsWith(' * 1024') ? number * 1024 : number;
}

describe('docs/security.md', () => {
  it('has rows to be checked', () => {
    expect(claims.length).toBeGreaterThan(70);
    expect(limits.length).toBeGreaterThan(35);
  });

  it.each(claims)('"%s" has its test "%s" in %s', (_, name, file) => {
    expect(file).toMatch(/^test\/[\w/-]+\.test\.ts$/);
    expect(existsSync(join(root, file)), file).toBe(true);
    // Quotes within a name may be written as such.
    expect(read(file).replaceAll("\\'", "'")).toContain(name);
  });

  it('names no test file that is not there', () => {
    const named = [...page.matchAll(/test\/[\w/-]+\.test\.ts/g)].map(([file]) => file);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it.each(limits)('the limit "%s" is %s, as it is by %s', (limit, value, by) => {
    expect(numberOf(value)).toBe(by === 'fixed' ? inCodeOf(limit) : defaultOf(by));
  });

  it('is right that serve writes no file', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const writes = sources
      .filter((name) => name.endsWith('.ts'))
      .filter((name) =>
        /\b(writeFile|appendFile|createWriteStream|mkdir|openSync)/.test(read(join('src', name))),
      );
    // Parts of `dev`, of the kit, and of finding a Redis for them.
    expect(writes.filter((name) => !/^(embedded|kit)\/|^cli\/dev/.test(name))).toEqual([]);
    expect(writes.length).toBeGreaterThan(0);
  });
});
