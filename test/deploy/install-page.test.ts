import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { SECRET } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

const root = resolve(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'install.md'), 'utf8');
const redis = useRedis();

describe('docs/install.md', () => {
  it('leads to a first seat with the commands as they stand, and secrets in files as each way has them', async () => {
    const [, block = ''] = /<!-- first-seat -->\s*```sh\n([\s\S]*?)```/.exec(page) ?? [];
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-install-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'jwt-secret'), `${SECRET}\n`);
    writeFileSync(join(folder, 'redis-url'), `${redis.url}\n`);
    const main = join(root, 'dist', 'cli', 'main.js');
    writeFileSync(join(folder, 'soleseat'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, {
      mode: 0o755,
    });
    const node = await NodeProcess.start(redis.url, { SOLESEAT_LICENSE_MODE: 'required' });
    onTestFinished(() => node.kill());
    const child = spawn('sh', ['-eu', '-c', block], {
      cwd: folder,
      detached: true,
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        REDIS_URL_FILE: join(folder, 'redis-url'),
        SOLESEAT_JWT_SECRET_FILE: join(folder, 'jwt-secret'),
        SOLESEAT_ADMIN_HOST: '0.0.0.0',
        SOLESEAT_ADMIN_PORT: String(node.ports.admin),
        SOLESEAT_ADMIN_URL: `http://127.0.0.1:${node.ports.admin}`,
        url: `ws://127.0.0.1:${node.ports.public}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    onTestFinished(() => {
      if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
    });
    await eventually('somebody has a seat', async () => {
      if (child.exitCode !== null) throw new Error(said);
      return (await redis.client.exists('soleseat:{acme}:lease:ada')) === 1;
    });
    await eventually(() => /Seat granted on workstation/.test(said));
    expect(said).toContain('joan@example.com is an owner now');
    expect(existsSync(join(folder, '.soleseat'))).toBe(false);
  });

  it('names only files that there are', () => {
    const named = [...page.matchAll(/\bdeploy\/[\w./-]+\w/g)].map(([path]) => path);
    expect(named.length).toBeGreaterThan(5);
    // `deploy/soleseat` is what kubectl calls the Deployment.
    const missing = named.filter((path) => !existsSync(join(root, path)));
    expect(missing.filter((path) => path !== 'deploy/soleseat')).toEqual([]);
  });
});
