import type { SpawnOptions } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/auth/tokens.js';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { type CommandResult, ended, startCommand } from '../support/command.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const folder = mkdtempSync(join(tmpdir(), 'soleseat-desk-'));
let redis: RedisProcess;
let broker: Broker;

beforeAll(async () => {
  redis = await testRedis();
  broker = await startNode(redis.url);
});
afterAll(async () => {
  await broker.stop();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], role: Role, url: string, options: SpawnOptions = {}) {
  const org = role === 'owner' ? '*' : 'acme';
  const env = { SOLESEAT_ADMIN_TOKEN: adminTokenFor(role, org), SOLESEAT_ADMIN_URL: url };
  return startCommand(args, env, { cwd: folder, ...options });
}

/** Runs a command beside the broker, which is in this process and so must not be blocked. */
function run(args: readonly string[], role: Role = 'admin', url = adminUrl()): Promise<CommandResult> {
  return ended(start(args, role, url));
}

const adminUrl = () => `http://127.0.0.1:${broker.ports.admin}`;
const json = async (...args: string[]) => JSON.parse((await run([...args, '--json'])).out);

describe('the license desk', () => {
  it('issues, changes and takes back, and tells the program that is running', async () => {
    expect((await run(['org', 'set', '--quota', '5'])).code).toBe(77);
    expect((await run(['org', 'set', '--quota', '5', '--org', 'acme', '--new-org'], 'owner')).code).toBe(0);
    expect((await run(['license', 'issue', 'ada', '--note', 'the first'])).out).toContain('Issued to ada');
    const desktop = await Desktop.hello(broker.ports.public, 'ada', 'desk');
    await desktop.told('welcome');
    expect((await json('session', 'list')).map(({ user }: { user: string }) => user)).toEqual(['ada']);
    expect((await run(['license', 'suspend', 'ada', '--yes'])).out).toContain('the live session was ended');
    expect(await desktop.close()).toEqual({ code: 4511, reason: 'license_suspended' });
    expect((await run(['license', 'reinstate', 'ada'])).code).toBe(0);
    expect((await run(['license', 'expire', 'ada', '2099-01-31'])).out).toContain('until 2099-01-31');
    expect((await run(['license', 'transfer', 'ada', 'grace', '--yes'])).out).toContain('grace is active');
    expect(await json('license', 'show', 'grace')).toMatchObject({ user: 'grace', status: 'active' });
    expect((await run(['license', 'revoke', 'grace', '--yes'])).out).toContain('grace is revoked');
    expect((await run(['license', 'list'])).out.trim()).toBe('No licenses.');
    expect((await json('license', 'list', '--status', 'revoked'))[0]).toMatchObject({ user: 'grace' });
  });

  it('shows a machine id that had two names at once', async () => {
    const hello = (name: string) =>
      Desktop.hello(broker.ports.public, 'dora', 'cloned', { machine: { id: 'cloned', name } });
    await (await hello('studio')).told('welcome');
    expect((await run(['machine', 'list', 'dora'])).out).not.toContain('double');
    const farm = await hello('farm');
    await farm.told('welcome');
    expect((await run(['machine', 'list', 'dora'])).out).toMatch(
      /double\s+farm .*cloned +studio and farm at once, \d/s,
    );
    const [machine] = await json('machine', 'list', 'dora');
    expect(machine).toMatchObject({ id: 'cloned', name: 'farm', double: { names: ['studio', 'farm'] } });
    expect(Date.parse(machine.double.at)).toBeLessThanOrEqual(Date.parse(machine.lastSeen));
    farm.ws.send(JSON.stringify({ type: 'release' }));
    expect((await farm.close()).reason).toBe('released');
  });

  it('ignores the case of names where the org says so, and lists users who differ only so', async () => {
    for (const user of ['Twin', 'TWIN']) await run(['license', 'issue', user]);
    const refused = await run(['org', 'set', '--letter-case', 'ignore']);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain('cannot ignore the case of TWIN and Twin');
    await run(['license', 'revoke', 'TWIN', '--yes']);
    expect((await run(['org', 'set', '--letter-case', 'ignore'])).out).toMatch(
      /settings\.letterCase +ignore/,
    );
    expect(await json('license', 'show', 'twIN')).toMatchObject({ user: 'Twin', status: 'active' });
    await run(['license', 'revoke', 'twin', '--yes']);
    await run(['org', 'set', '--letter-case', 'default']);
  });

  it('evicts with a hold', async () => {
    const desktop = await Desktop.hello(broker.ports.public, 'bob', 'desk');
    await desktop.told('welcome');
    const evicted = await run(['session', 'evict', 'bob', '--hold', '1h', '--note', 'why not', '--yes']);
    expect(evicted.out).toContain('no seat until');
    expect(await desktop.close()).toMatchObject({ reason: 'evicted_by_admin' });
    const again = await Desktop.hello(broker.ports.public, 'bob', 'desk');
    expect(await again.close()).toMatchObject({ reason: 'evicted_by_admin' });
  });

  it('imports all or nothing, and exports what it imports', async () => {
    const file = join(folder, 'staff.csv');
    writeFileSync(file, 'user,expiresAt,note\nalan,,\nkurt,2099-01-01T00:00:00Z,"quotes, and commas"\n');
    expect((await run(['license', 'import', file])).out).toContain('Issued 2 licenses');
    expect((await run(['license', 'export'])).out).toContain('"quotes, and commas"');
    writeFileSync(file, 'user,expiresAt,note\nnew,,\nalan,,\nother,yesterday,\n');
    const bad = await run(['license', 'import', file]);
    expect(bad.code).not.toBe(0);
    expect(bad.err).toContain('line 3');
    expect(bad.err).toContain('line 4');
    expect((await run(['license', 'show', 'new'])).code).toBe(1);
  });

  it('counts, recounts, and shows usage and machines', async () => {
    const desktop = await Desktop.hello(broker.ports.public, 'cleo', 'desk');
    await desktop.told('welcome');
    expect((await run(['license', 'count'])).out).toMatch(/active\s+1/);
    expect((await run(['license', 'recount'])).out).toContain('every counter is right');
    const recount = ['org', 'recount', '--repair', '--yes'];
    expect((await run(recount)).code).toBe(77);
    const env = { SOLESEAT_ADMIN_TOKEN: adminTokenFor('admin', '*'), SOLESEAT_ADMIN_URL: adminUrl() };
    const ofAll = await ended(startCommand(recount, env, { cwd: folder }));
    expect(ofAll.out).toContain('every total is right');
    expect(await json('machine', 'list', 'cleo')).toMatchObject([{ id: 'desk', times: 1 }]);
    expect((await run(['usage', '--by', 'hour'])).out).toMatch(/seat hours.*Time zone: UTC\./s);
    await run(['org', 'set', '--time-zone', 'Asia/Kathmandu']);
    const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Kathmandu' }).format(new Date());
    const usage = await run(['usage', '--from', today, '--to', today]);
    expect(usage.out).toMatch(new RegExp(`^day .*\n${today} .*\nTime zone: Asia/Kathmandu\\.\n$`));
    const events = await run([
      'events',
      'export',
      '--from',
      today,
      '--until',
      today,
      '--type',
      'org.changed',
    ]);
    expect(events.out).toContain('Asia/Kathmandu');
    expect((await run(['events', 'export', '--from', 'yesterday'])).code).toBe(2);
    await run(['org', 'set', '--time-zone', 'default']);
    expect((await run(['usage', '--csv'])).out.split('\n')[0]).toContain('peak');
    expect((await json('license', 'unused', '--days', '1')).length).toBe(0);
    expect((await run(['machine', 'deny', 'lost'])).code).toBe(0);
    expect((await json('machine', 'list'))[0]).toMatchObject({ machineId: 'lost', rule: 'deny' });
    expect((await run(['machine', 'forget', 'lost'])).code).toBe(0);
    expect((await run(['events', 'tail', '--no-follow', '--user', 'cleo'])).out).toContain('session.granted');
    const lines = (await run(['events', 'export'])).out.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).type)).toContain('session.granted');
    const history = await run(['history', 'cleo']);
    expect(history.out).toContain('in use now');
    expect(history.out).toContain('hours in all');
    expect(await json('history', 'cleo')).toMatchObject([{ kind: 'session', ended: null }]);
    expect((await run(['history', '--csv'])).out.split('\n')[0]).toMatch(
      /^"user","sessionId","began","ended","hours",/,
    );
    expect((await run(['history', '--csv', '--until', '2020-01-01'])).out.trim().split('\n')).toHaveLength(1);
    expect((await run(['history'])).err).toContain('name a user');
    desktop.ws.close();
  });

  it('registers a webhook, tries it, rotates its secret and removes it', async () => {
    const owner = async (...args: string[]) => run(['webhook', ...args], 'owner');
    expect((await run(['webhook', 'list'])).code).toBe(77);
    expect((await owner('list')).out).toContain('No webhooks yet');
    const refused = await owner('create', 'https://10.0.0.1/');
    expect([refused.code, refused.err.includes('no public address')]).toEqual([2, true]);
    const made = await owner(
      'create',
      'https://example.com/x',
      '--types',
      'license.issued',
      '--orgs',
      'acme',
    );
    expect(made.out).toContain('whsec_');
    const id = /Registered: (\S+)/.exec(made.out)?.[1] ?? '';
    expect((await owner('list')).out).toMatch(/active\s+license.issued\s+acme/);
    expect((await owner('set', id, '--types', 'all', '--orgs', 'all')).code).toBe(0);
    expect(JSON.parse((await owner('show', id, '--json')).out)).toMatchObject({ types: null, orgs: null });
    expect((await owner('pause', id)).out).toContain('paused');
    expect((await owner('resume', id)).out).toContain('active');
    expect((await owner('rotate', id, '--overlap', '1h')).out).toContain('whsec_');
    expect((await owner('parked', id)).out).toContain('Nothing was put aside');
    expect((await owner('replay', id)).out).toContain('Sent again: 0');
    expect((await owner('delete', id, '--yes')).out).toContain('Removed');
    expect((await owner('show', id)).code).toBe(1);
  });

  it('watches sessions as they begin and end, until it is interrupted', async () => {
    const child = start(['session', 'watch'], 'viewer', adminUrl());
    let out = '';
    child.stdout?.on('data', (chunk) => (out += chunk));
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    let i = 0;
    await eventually(async () => {
      const desktop = await Desktop.hello(broker.ports.public, `watched${++i}`, 'desk');
      await desktop.told('welcome');
      desktop.say({ type: 'release' });
      await desktop.close();
      return /granted\s+watched/.test(out) && /ended\s+watched/.test(out);
    });
    child.kill('SIGINT');
    expect(await closed).toBe(130);
  });
});

describe('a wrong call', () => {
  it.each([
    ['an unknown command', ['license', 'burn', 'ada']],
    ['an unknown flag', ['license', 'list', '--everything']],
    ['a missing argument', ['license', 'issue']],
    ['a time that is none', ['license', 'issue', 'ada', '--expires', 'soon']],
    ['destructive without --yes and no terminal', ['license', 'revoke', 'ada']],
    ['a transfer without --yes and no terminal', ['license', 'transfer', 'ada', 'bob']],
    ['an eviction without --yes and no terminal', ['session', 'evict', 'ada']],
    ['an end in the past without --yes', ['license', 'expire', 'ada', '2020-01-01']],
    ['a user that no token could name', ['license', 'issue', 'a\u0000b'.replace('\u0000', '\n')]],
  ])('%s ends with 2 and says why', async (_, args) => {
    const { code, out, err } = await run(args);
    expect(code).toBe(2);
    expect(err.trim()).not.toBe('');
    expect(err).not.toMatch(/^\s+at /m);
    expect(out).toBe('');
  });

  it('with no broker there ends with 69, and names the next step', async () => {
    const { code, err } = await run(['license', 'list'], 'admin', 'http://127.0.0.1:9');
    expect(code).toBe(69);
    expect(err).toContain('Is it running');
  });

  it('with a role too low, or what stands in the way, ends with 77', async () => {
    expect((await run(['license', 'issue', 'eve'], 'viewer')).code).toBe(77);
    await run(['license', 'issue', 'eve']);
    const { code, err } = await run(['license', 'issue', 'eve']);
    expect([code, err.includes('has a license')]).toEqual([77, true]);
  });

  it('--json is JSON and nothing else, also where there is nothing', async () => {
    expect(await json('license', 'list', '--status', 'expired')).toEqual([]);
  });

  it('ends with 0 and without a trace when its reader has seen enough', async () => {
    const child = start(['events', 'export'], 'viewer', adminUrl());
    child.stdout?.destroy();
    expect(await ended(child)).toMatchObject({ code: 0, err: '' });
  });

  it.skipIf(!existsSync('/dev/full'))(
    'ends with 1 and says so when its output cannot be written',
    async () => {
      const stdio = ['ignore', openSync('/dev/full', 'w'), 'pipe'] as const;
      const { code, err } = await ended(
        start(['license', 'export'], 'viewer', adminUrl(), { stdio: [...stdio] }),
      );
      expect(code).toBe(1);
      expect(err).toMatch(/^the output could not be written: .*no space left/);
      expect(err.trim().split('\n')).toHaveLength(1);
    },
  );
});
