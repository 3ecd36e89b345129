import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { type Answer, ask } from '../support/admin.js';
import { Crowd } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis } from '../support/redis.js';
import { casesOf, isAll } from '../support/scope.js';

const MIB = 1024 * 1024;
/** The limit of a file. */
const FILE_BYTES = 16 * MIB;
const TTL_MS = 6000;
/** Noise only adds. */
const ATTEMPTS = 8;
const QUIET_MS = 2000;

const stallFile = join(mkdtempSync(join(tmpdir(), 'soleseat-')), 'stall');

let redis: RedisProcess;
let node: NodeProcess;
/** Twenty people who have nothing to do with all this. */
let bystanders: Crowd;

beforeAll(async () => {
  for (const name of chosen) made.set(name, files[name]?.() ?? Buffer.alloc(0));
  redis = await testRedis();
  node = await NodeProcess.start(
    redis.url,
    {
      SOLESEAT_LEASE_TTL_MS: String(TTL_MS),
      SOLESEAT_RENEW_EVERY_MS: '1000',
      ...(isAll ? {} : { SOLESEAT_IMPORT_MAX_LINES: '50000' }),
    },
    // A node of 1 GiB has about so much for what it keeps; sessions take part of it.
    { args: ['--max-old-space-size=192'], hooks: { TEST_ON_SIGUSR2: `stall > ${stallFile}` } },
  );
  bystanders = await Crowd.seat([node.ports.public], ['others'], 20);
});
afterAll(async () => {
  bystanders?.leave();
  await node?.stop();
  await redis?.stop();
});

/** Fills a file to its limit. */
const filled = (head: string, row: (index: number) => string) => {
  const rows = [head];
  let length = head.length;
  for (let index = 0; length < FILE_BYTES - 1024; index += 1) {
    const one = row(index);
    rows.push(one);
    length += Buffer.byteLength(one);
  }
  return Buffer.from(rows.join(''));
};

const files: Readonly<Record<string, () => Buffer>> = {
  'names that are too long': () => filled('user\n', () => `${'x'.repeat(300)}\n`),
  'short names, each another': () => filled('user\n', (index) => `${index.toString(36)}\n`),
  'the same name': () => filled('user\n', () => 'ada\n'),
  'a fault of another kind on each line': () =>
    filled('user,note\n', (index) => `a${String.fromCodePoint(0xe0000 + (index % 4096))}b,\n`),
  'line ends': () => filled('user\nada', () => '\n'),
  'one line': () => filled('user\n', () => 'xxxx,'),
  'one quote that never ends': () => filled('user\n"', () => 'xxxx\n'),
  'Windows-1252': () => Buffer.concat([Buffer.from('user\n'), Buffer.alloc(FILE_BYTES - 5, 0x95)]),
  zeros: () => Buffer.alloc(FILE_BYTES),
};

/** Made before anybody has a seat: this process answers no pings while it makes one. */
const made = new Map<string, Buffer>();
const fileOf = (name: string): Buffer => made.get(name) ?? Buffer.alloc(0);
const some = ['short names, each another', 'a fault of another kind on each line', 'Windows-1252'];
const chosen = casesOf(Object.keys(files), (name) => some.includes(name));

const upload = (org: string, body: Buffer): Promise<Answer> =>
  ask(node, 'POST', `/v1/admin/orgs/${org}/license-import`, {
    body,
    headers: { 'content-type': 'text/csv' },
  });

/** The most that the node has had in memory, files that the kernel mapped included. */
const peakBytes = () =>
  1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${node.child.pid}/status`, 'utf8'))?.[1]);

/** The longest time for which the node did not turn while that was done, in ms. */
async function longestStallMs(during: () => Promise<unknown>): Promise<number> {
  const tell = async () => {
    rmSync(stallFile, { force: true });
    node.signal('SIGUSR2');
    return eventually(
      'the node’s longest stall',
      () => existsSync(stallFile) && readFileSync(stallFile, 'utf8'),
    );
  };
  await tell();
  await during();
  return Number(await tell());
}

async function areUnharmed(): Promise<void> {
  await bystanders.renewed();
  expect(bystanders.lost()).toEqual([]);
  expect(bystanders.longestGapMs()).toBeLessThan(TTL_MS / 2);
}

describe('promise 16: a file of licenses', () => {
  it.each(chosen)(
    'of %s takes a share of the memory that does not depend on it, and others notice nothing',
    async (name) => {
      const before = peakBytes();
      const answer = await upload('greedy', fileOf(name));
      expect([answer.status, answer.body.code]).toEqual([422, 'bad_lines']);
      expect(JSON.stringify(answer.body).length).toBeLessThan(MIB);
      // The file twice, and the thread that reads it.
      expect(peakBytes() - before).toBeLessThan(400 * MIB);
      await areUnharmed();
    },
  );

  it('stalls the node for no longer than it stalls by itself, but for 50 ms', async () => {
    const file = fileOf('short names, each another');
    const [quiet, busy]: number[][] = [[], []];
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      quiet?.push(await longestStallMs(() => pause(QUIET_MS)));
      busy?.push(await longestStallMs(() => upload('stalling', file)));
      if (Math.min(...(busy ?? [])) <= Math.min(...(quiet ?? [])) + 50) return;
    }
    expect({ quiet, busy }).toBe('a stall that is 50 ms longer at most');
  });

  it('is one of its org at a time, before it is read; other orgs have their place', async () => {
    const large = fileOf('short names, each another');
    const [first, second, other] = await Promise.all([
      upload('twice', large),
      pause(50).then(() => upload('twice', large)),
      pause(50).then(() => upload('other', Buffer.from('user\nada\n'))),
    ]);
    expect(first.status).toBe(422);
    expect([second.status, second.body.code]).toEqual([429, 'import_running']);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(other.status).toBe(200);
    expect((await upload('twice', Buffer.from('user\nada\n'))).status).toBe(200);
  });
});

describe('promise 16: requests that cost much', () => {
  it('have a budget of each token and kind, and others have theirs', async () => {
    await ask(node, 'PATCH', '/v1/admin/orgs/busy', { body: { quota: 10 } });
    const recount = (subject: string) =>
      ask(node, 'POST', '/v1/admin/orgs/busy/recount', {
        token: adminTokenFor('viewer', 'busy', 3600, subject),
        body: {},
      });
    const answers = await Promise.all(Array.from({ length: 61 }, () => recount('eager')));
    const statuses = answers.map(({ status }) => status).sort();
    expect([statuses[0], statuses[59], statuses[60]]).toEqual([200, 200, 429]);
    const again = await recount('eager');
    expect([again.status, again.body.code]).toEqual([429, 'too_many_requests']);
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await recount('patient')).status).toBe(200);
    const token = adminTokenFor('viewer', 'busy', 3600, 'eager');
    expect((await ask(node, 'GET', '/v1/admin/orgs/busy/license-export', { token })).status).toBe(200);
    await areUnharmed();
  });

  it('leave the event loop to others: usage of 400 days, exports and recounts', async () => {
    const all = '/v1/admin/orgs/busy';
    const span = 'from=2025-01-01T00:00:00Z&to=2026-02-05T00:00:00Z';
    await Promise.all([
      ask(node, 'GET', `${all}/usage?${span}`),
      ask(node, 'GET', `${all}/usage?by=hour`),
      ask(node, 'GET', `${all}/events/export`),
      ask(node, 'GET', `${all}/history-export`),
    ]);
    await areUnharmed();
  });
});
