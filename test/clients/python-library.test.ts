import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { machineId } from '../../packages/client/src/machine-id.js';
import { closeCodes } from '../../packages/client/src/protocol/close-codes.js';
import type { Broker } from '../../src/broker.js';
import { startNode, tokenFor } from '../support/node.js';
import { pythonWithLibrary } from '../support/python-seat.js';
import { useRedis } from '../support/redis.js';

const runFile = promisify(execFile);
const folder = fileURLToPath(new URL('../../clients/python/', import.meta.url));
const redis = useRedis();
let node: Broker;

beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node.stop());
beforeEach(() => redis.client.flushall());

async function python(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { path, env } = pythonWithLibrary();
  const SEAT_URL = `ws://127.0.0.1:${node.ports.public}`;
  const more = { ...process.env, ...env, SEAT_URL, SEAT_TOKEN: tokenFor('ada') };
  // Shorter than the timeout of a test, which would leave the process behind.
  return runFile(path, args, { cwd: folder, env: more, timeout: 150_000 });
}

/** What it printed, a line each, and what it logged. */
async function listeners(face: string) {
  const { stdout, stderr } = await python('tests/listeners_program.py', face);
  return { lines: stdout.trim().split('\n'), stderr };
}

const leaseOf = (user: string) => redis.client.exists(`soleseat:{acme}:lease:${user}`);

describe('the Python library', () => {
  it('passes its unit tests', async () => {
    const { stderr } = await python('-W', 'error', '-m', 'unittest', 'discover', '-s', 'tests', '-t', '.');
    expect(stderr).toMatch(/Ran [1-9]\d* tests/);
    expect(stderr).toMatch(/\nOK\n$/);
  });

  it('has sound types for Python 3.9 (mypy --strict)', async () => {
    const record = new URL('../../.soleseat/mypy.json', import.meta.url);
    const { path, pythonPath } = JSON.parse(readFileSync(record, 'utf8')) as Record<string, string>;
    const env = { ...process.env, PYTHONPATH: pythonPath };
    const args = [
      '-m',
      'mypy',
      '--config-file',
      'pyproject.toml',
      '--cache-dir=../../.soleseat/mypy',
      'soleseat_client',
      'kit_program.py',
    ];
    const { stdout } = await runFile(path ?? '', args, { cwd: folder, env });
    expect(stdout).toMatch(/Success/);
  });

  it('knows the close codes of the broker', async () => {
    const script = 'import json, soleseat_client._endings as e; print(json.dumps(e.CLOSE_CODES))';
    const { stdout } = await python('-c', script);
    const known = closeCodes.map(({ reason, code, meaning }) => [reason, [code, meaning]]);
    expect(JSON.parse(stdout)).toEqual(Object.fromEntries(known));
  });

  it('gives this computer the same id as the library in TypeScript', async () => {
    const script = [
      'import dataclasses, json, soleseat_client as s',
      'try: print(json.dumps(dataclasses.asdict(s.machine_id("drawing"))))',
      'except s.MachineIdUnavailable as fault: print(json.dumps(str(fault)))',
    ].join('\n');
    const { stdout } = await python('-c', script);
    const wanted = await machineId({ application: 'drawing' }).catch((error: Error) => error.message);
    const firstSentence = (text: unknown) => String(text).replace(/ Or give .*/, '');
    const given = JSON.parse(stdout) as unknown;
    if (typeof wanted === 'string') expect(firstSentence(given)).toBe(firstSentence(wanted));
    else expect(given).toEqual(wanted);
  });

  it('logs what a listener raises, and goes on in order', async () => {
    const { lines, stderr } = await listeners('asyncio');
    expect(lines.slice(0, 2)).toEqual(['told state', 'told welcome']);
    expect(lines).toContain('told lease');
    expect(lines).toContain('holds True True True');
    expect(lines.slice(-2)).toEqual(['state closed False', 'released by a listener closed True']);
    expect(stderr).toContain('a listener of welcome is bad\n');
    expect(stderr).toContain('a listener of welcome is bad later\n');
    expect(await leaseOf('ada')).toBe(0);
  });

  it('holds the lease while a listener takes longer than the lease, and is released by that listener', async () => {
    const { lines, stderr } = await listeners('blocking');
    expect(lines).toEqual(['told welcome False', 'released closed', 'state closed False']);
    expect(stderr).toContain('a listener of welcome is bad\n');
    expect(stderr).toContain('a listener of a BlockingSeatClient is no coroutine function');
    expect(stderr).not.toContain('never awaited');
    expect(await leaseOf('ada')).toBe(0);
  });

  it('tells a window in its own thread, and is released by that thread without waiting for itself', async () => {
    const { lines, stderr } = await listeners('window');
    expect(lines).toEqual(['welcomed [True] released within 2 s True', 'state closed False']);
    expect(stderr).toBe('');
  });

  it('keeps no process alive', async () => {
    const { lines, stderr } = await listeners('abandoned');
    expect(lines).toEqual(['ending']);
    expect(stderr).toBe('');
    expect(await leaseOf('ada')).toBe(1);
  });
});
