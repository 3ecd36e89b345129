import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checks } from '../../src/kit/checks/table.js';
import { ended, startCommand } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { programOf } from './judge.js';

const clientTest = (...args: string[]) => ended(startCommand(['client-test', ...args], {}));
const client = (...more: string[]) => {
  const { file, args } = programOf('wrong-client.mjs', ...more);
  return ['--', file, ...args];
};

describe('soleseat client-test', () => {
  it('lists every check with the rule that it stands on, and runs none', async () => {
    const { code, out } = await clientTest('--list');
    expect(code).toBe(0);
    for (const { id, tags } of checks) {
      expect(out).toContain(id);
      for (const tag of tags) expect(out).toContain(`[${tag}]`);
    }
    const { out: json } = await clientTest('--list', '--json');
    const listed = JSON.parse(json);
    expect(listed.map(({ id }: { id: string }) => id)).toEqual(checks.map(({ id }) => id));
    for (const { rules } of listed) expect(rules[0].sentence).toMatch(/\b(MUST|may)\b/);
  });

  it('ends with 0 where all pass, and says so in a line each', async () => {
    const { code, out } = await clientTest('--only', 'hello', 'pong', ...client());
    expect(out).toMatch(/^passed {3}hello .*\npassed {3}pong .*\n\n2 passed, 0 failed, 0 not run, in /);
    expect(code).toBe(0);
  });

  it('ends with 1 where one fails, with what was found, why, the rule, and what was seen on the wire', async () => {
    const { code, out } = await clientTest(
      '--only',
      'hello',
      'first-claim',
      ...client('--fault', 'deny-first'),
    );
    expect(code).toBe(1);
    expect(out).toContain('its first hello has onConflict "deny"');
    expect(out).toContain('starting the program on another machine');
    expect(out).toContain('[takeover-by-person] Only a person');
    expect(out).toMatch(/seen +\d\.\d{3} {2}client +\[1\] \{"type":"hello"/);
  });

  it('gives one JSON object', async () => {
    const { code, out } = await clientTest(
      '--json',
      '--only',
      'first-claim',
      ...client('--fault', 'deny-first'),
    );
    expect(code).toBe(1);
    const { passed, failed, notRun, checks: found } = JSON.parse(out);
    expect([passed, failed, notRun]).toEqual([0, 1, 0]);
    expect(found[0]).toMatchObject({
      id: 'first-claim',
      verdict: 'failed',
      finding: 'its first hello has onConflict "deny"',
      rules: [{ tag: 'takeover-by-person', sentence: expect.stringContaining('Only a person') }],
    });
    expect(found[0].seen.map(({ actor }: { actor: string }) => actor)).toContain('client');
  });

  it('says "not run" and why, and does not count it as failed', async () => {
    const { code, out } = await clientTest('--hides', 'status', '--only', 'handshake-403', ...client());
    expect(code).toBe(0);
    expect(out).toMatch(/^not run {2}handshake-403 .*\n {2}because {2}the platform hides the status/);
  });

  it.each([
    ['without a client', [], /name the client/],
    ['with a check that is not there', ['--only', 'helo', '--', 'true'], /no check helo/],
    ['with a time that is none', ['--timeout', 'soon', '--', 'true'], /whole number of seconds/],
  ])('ends with 2 %s', async (_, args, says) => {
    const { code, err } = await clientTest(...args);
    expect(code).toBe(2);
    expect(err).toMatch(says);
  });

  it('ends what it started when it is interrupted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-'));
    const file = join(folder, 'pid');
    const script = `echo $$ > '${file}'; exec sleep 600`;
    const child = startCommand(['client-test', '--only', 'hello', '--', 'sh', '-c', script], {});
    const result = ended(child);
    const pid = await eventually(() => existsSync(file) && Number(readFileSync(file, 'utf8')));
    child.kill('SIGINT');
    expect((await result).code).toBe(130);
    await eventually('the end of the client', () => !isAlive(Number(pid)));
    rmSync(folder, { recursive: true });
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
