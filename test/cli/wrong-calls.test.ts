import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/auth/tokens.js';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { ended, startCommand } from '../support/command.js';
import { adminTokenFor, SECRET, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';

const folder = mkdtempSync(join(tmpdir(), 'soleseat-calls-'));
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

function run(args: readonly string[], { role = 'owner' as Role, org = '*' } = {}) {
  const url = `http://127.0.0.1:${broker.ports.admin}`;
  const env = { SOLESEAT_ADMIN_TOKEN: adminTokenFor(role, org), SOLESEAT_ADMIN_URL: url };
  return ended(startCommand(args, env, { cwd: folder }));
}

describe('an org that does not exist', () => {
  beforeAll(async () => {
    for (const org of ['acme', 'globex'])
      expect((await run(['org', 'set', '--org', org, '--quota', '5', '--new-org'])).code).toBe(0);
  });

  it.each([
    ['org set', ['org', 'set', '--quota', '7']],
    ['org set --yes', ['org', 'set', '--quota', '7', '--yes']],
    ['license issue', ['license', 'issue', 'ada']],
    ['license import', ['license', 'import', '/dev/null']],
  ])('is not begun by %s where nobody can be asked', async (_, args) => {
    const { code, err } = await run([...args, '--org', 'amce']);
    expect([code, err]).toEqual([2, expect.stringMatching(/no org amce yet.* acme\..*--new-org/)]);
    expect((await run(['org', 'list'])).out).not.toContain('amce');
  });

  it('is named to a program with the nearest names', async () => {
    const { err } = await run(['license', 'issue', 'ada', '--org', 'glbex', '--json']);
    expect(JSON.parse(err).error).toMatchObject({ code: 'org_unknown', org: 'glbex', nearest: ['globex'] });
  });

  it('is begun without a question by a token that is for it alone', async () => {
    expect((await run(['license', 'issue', 'ada'], { role: 'admin', org: 'initech' })).code).toBe(0);
  });
});

describe('a quota', () => {
  const quotaOf = async (...args: string[]) =>
    JSON.parse((await run(['org', ...args, '--org', 'acme', '--json'])).out).settings.quota;

  it('is taken away by none', async () => {
    expect(await quotaOf('set', '--quota', '9')).toBe(9);
    expect(await quotaOf('set', '--quota', 'none')).toBe(null);
    expect(await quotaOf('set', '--quota', '0')).toBe(0);
    await run(['org', 'set', '--org', 'acme', '--quota', 'none']);
    expect(await quotaOf('show')).toBe(null);
  });

  it.each(['', 'None', '-1', '1.5', 'null'])('is not %j', async (text) => {
    expect((await run(['org', 'set', '--org', 'acme', `--quota=${text}`])).code).toBe(2);
  });
});

describe('an error', () => {
  const cases: readonly [string, string[], number, RegExp, object][] = [
    [
      'no license',
      ['license', 'show', 'nobody'],
      1,
      /user nobody, org acme: this user has no license/,
      { user: 'nobody', missing: 'license' },
    ],
    [
      'no license to change',
      ['license', 'revoke', 'nobody', '--yes'],
      1,
      /user nobody, org acme/,
      { user: 'nobody', missing: 'license' },
    ],
    [
      'no session',
      ['session', 'show', 'nobody'],
      1,
      /user nobody, org acme: .*no session/,
      { missing: 'session' },
    ],
    [
      'a license already',
      ['license', 'issue', 'eve'],
      77,
      /user eve, org acme: the user has a license/,
      { code: 'exists', user: 'eve' },
    ],
    [
      'a transfer to one who has',
      ['license', 'transfer', 'eve', 'mia', '--yes'],
      77,
      /user eve, to mia, org acme/,
      { to: 'mia' },
    ],
    [
      'a status that does not allow it',
      ['license', 'reinstate', 'eve'],
      77,
      /user eve, org acme/,
      { code: 'wrong_status' },
    ],
    [
      'a quota too low',
      ['org', 'set', '--quota', '0'],
      77,
      /org acme: more licenses/,
      { code: 'quota_below_issued' },
    ],
  ];

  beforeAll(async () => {
    for (const user of ['eve', 'mia']) await run(['license', 'issue', user, '--org', 'acme']);
  });

  it.each(cases)('about %s names the user and the org', async (_, args, code, sentence, facts) => {
    const told = await run([...args, '--org', 'acme']);
    expect([told.code, told.err]).toEqual([code, expect.stringMatching(sentence)]);
    const { out, err } = await run([...args, '--org', 'acme', '--json']);
    expect(out).toBe('');
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(err).error).toMatchObject({ org: 'acme', exitCode: code, ...facts });
  });

  it.each([
    ['an unknown org', ['license', 'list', '--org', 'nowhere'], 1, { org: 'nowhere', missing: 'org' }],
    ['an unknown option', ['license', 'list', '--everything'], 2, { code: 'usage' }],
    ['no command', ['license'], 2, { code: 'usage' }],
    ['a missing argument', ['license', 'issue'], 2, { code: 'usage' }],
    ['a question that nobody answers', ['license', 'revoke', 'eve', '--org', 'acme'], 2, { org: 'acme' }],
    ['settings that are bad', ['owner', 'list'], 78, { code: 'config' }],
    ['no org', ['license', 'list'], 2, { code: 'usage' }],
  ])('about %s is JSON under --json', async (_, args, code, facts) => {
    const told = await run([...args, '--json']);
    expect([told.code, told.out]).toEqual([code, '']);
    expect(JSON.parse(told.err).error).toMatchObject({ exitCode: code, ...facts });
  });

  it('about a broker that is not there names them too', async () => {
    const args = ['license', 'show', 'ada', '--org', 'acme', '--url', 'http://127.0.0.1:9', '--json'];
    expect(JSON.parse((await run(args)).err).error).toMatchObject({ user: 'ada', org: 'acme', exitCode: 69 });
  });
});

describe('signing', () => {
  const sign = (args: readonly string[], env: Record<string, string> = {}) =>
    ended(startCommand(args, env, { cwd: folder }));

  it.each([
    ['token mint', ['token', 'mint', '--org', 'acme', '--user', 'ada'], 78],
    ['token mint --admin', ['token', 'mint', '--org', 'acme', '--admin'], 78],
    ['connect', ['connect', '--url', 'ws://127.0.0.1:9'], 2],
    ['license list', ['license', 'list', '--url', 'http://127.0.0.1:9'], 2],
  ])('%s writes no secret into the folder that one happens to be in', async (_, args, code) => {
    const { code: given, err, out } = await sign(args);
    expect([given, out, existsSync(join(folder, '.soleseat'))]).toEqual([code, '', false]);
    expect(err).toMatch(/--token|SOLESEAT_JWT_SECRET/);
  });

  it.each([
    ['SOLESEAT_JWT_SECRET', ['--org', 'acme', '--user', 'ada'], { SOLESEAT_JWT_SECRET: SECRET }],
    ['SOLESEAT_JWT_SECRET', ['--org', 'acme', '--admin'], { SOLESEAT_JWT_SECRET: SECRET }],
    ['SOLESEAT_ADMIN_JWT_SECRET', ['--org', 'acme', '--admin'], { SOLESEAT_ADMIN_JWT_SECRET: `${SECRET}2` }],
  ])('says that %s signed', async (name, args, env) => {
    const { code, out, err } = await sign(['token', 'mint', ...args], env as Record<string, string>);
    expect([code, err]).toEqual([0, `Signed with ${name}.\n`]);
    expect(out).toMatch(/^[\w-]+(\.[\w-]+){2}\n$/);
  });
});
