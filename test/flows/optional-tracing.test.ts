import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { ended } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { testTexts } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';
import { useRedis } from '../support/redis.js';

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'soleseat-modules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const redis = useRedis();

/** The packages of OpenTelemetry that a node has loaded, but for the one that prom-client loads. */
async function loadedBy(name: string, endpoint: string): Promise<string[]> {
  const file = join(folder, name);
  const settings = { SOLESEAT_OTLP_ENDPOINT: endpoint, LOADED_MODULES_FILE: file };
  const node = await NodeProcess.start(redis.url, settings, {
    args: ['--require', support('loaded-modules.cjs')],
  });
  node.signal('SIGUSR2');
  await eventually(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('end\n'));
  await node.stop();
  const names = [...readFileSync(file, 'utf8').matchAll(/node_modules\/(@opentelemetry\/[\w-]+)/g)];
  return [...new Set(names.map(([, found = '']) => found))].filter((found) => found !== '@opentelemetry/api');
}

describe('the packages for traces', () => {
  it('are loaded only where an endpoint is set', async () => {
    const receiver = await OtlpReceiver.start();
    expect(await loadedBy('on', receiver.url)).toContain('@opentelemetry/sdk-trace-base');
    await receiver.stop();
    expect(await loadedBy('off', '')).toEqual([]);
  });

  it('may be left out of an installation: then a node without an endpoint starts, and one with it says what is missing', async () => {
    const args = ['--import', support('without-opentelemetry.mjs')];
    const node = await NodeProcess.start(redis.url, {}, { args });
    await node.stop();
    const texts = testTexts(redis.url, { SOLESEAT_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
    const child = spawn(process.execPath, [...args, main, 'serve'], {
      env: { PATH: process.env.PATH, ...texts },
    });
    const { code, err } = await ended(child);
    expect(code).toBe(69);
    expect(err).toContain('SOLESEAT_OTLP_ENDPOINT');
    expect(err).toContain('docs/operations.md');
  });
});
