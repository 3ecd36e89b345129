import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsTable } from '../../src/base/settings.js';

const root = resolve(import.meta.dirname, '..', '..');
// Instructions may go on over several lines.
const instructions = readFileSync(resolve(root, 'Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n');
const valuesOf = (name: string) =>
  instructions.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length).trim());

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((one) => one?.family === 'IPv6');

/** Where a node listens, and where it is asked. */
const listening = [
  ['127.0.0.1', '127.0.0.1'],
  ['localhost', 'localhost'],
  ['0.0.0.0', '127.0.0.1'],
  ['::1', '[::1]'],
  ['::', '[::1]'],
] as const;

/** The days on which the releases of Node with long support end (https://github.com/nodejs/release). */
const endOfNode: Readonly<Record<string, string>> = {
  '20': '2026-04-30',
  '22': '2027-04-30',
  '24': '2028-04-30',
};

describe('the Docker image', () => {
  it('runs as a user who is not root', () => {
    const last = valuesOf('USER').at(-1) ?? 'root';
    expect(['root', '0']).not.toContain(last.split(':')[0]);
  });

  it('has a Node that is still maintained, the same in all its stages', () => {
    const versions = new Set(valuesOf('FROM').map((image) => /^node:(\d+)/.exec(image)?.[1] ?? image));
    expect(versions.size).toBe(1);
    const [version = ''] = versions;
    expect(Date.parse(endOfNode[version] ?? '')).toBeGreaterThan(Date.now());
  });

  it('is given time to drain by the commands that the documentation shows', () => {
    const neededMs = Number(settingsTable.drainMs.default) + 15_000;
    const shown = [/docker run .*--stop-timeout (\d+)/, /terminationGracePeriodSeconds: (\d+)/];
    for (const [index, file] of ['README.md', 'docs/operations.md'].entries()) {
      const seconds = shown[index]?.exec(readFileSync(resolve(root, file), 'utf8'))?.[1];
      expect(Number(seconds) * 1000, file).toBeGreaterThan(neededMs);
    }
  });

  it('has what runs alone: no packages of development, and no maps or types', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-image-'));
    const files = [
      'a.js',
      'a.js.map',
      'a.d.ts',
      'a.d.mts',
      'deep/b.d.cts',
      'deep/b.cjs',
      'c.json',
      'LICENSE',
    ];
    const kept = ['LICENSE', 'a.js', 'c.json', 'deep', 'deep/b.cjs'];
    const copied = ['node_modules', 'dist', 'packages/client/dist'];
    for (const path of copied.flatMap((part) => files.map((file) => join(folder, part, file)))) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '');
    }
    // The stage in which something is cleaned is the one from which it is copied.
    const [packages = '', build = '', image = ''] = instructions
      .join('\n')
      .split(/^(?=FROM )/m)
      .filter((stage) => stage.startsWith('FROM '));
    expect(packages).toContain('npm ci --omit=$OMIT --ignore-scripts');
    expect(packages).toMatch(/^ARG OMIT="dev\b/m);
    for (const line of [packages, build]
      .join('\n')
      .split('\n')
      .filter((one) => one.startsWith('RUN find '))) {
      spawnSync('sh', ['-c', line.slice('RUN '.length)], { cwd: folder });
    }
    for (const part of copied) {
      expect(readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' }).sort()).toEqual(kept);
    }
    const sources = image
      .split('\n')
      .filter((line) => line.startsWith('COPY '))
      .map((line) => line.split(' ').slice(1, -1).join(' '));
    expect(sources).toEqual([
      'package.json',
      '--from=packages /app/node_modules',
      '--from=build /app/dist',
      '--from=build /app/packages/client/dist',
    ]);
    rmSync(folder, { recursive: true });
  });

  it('needs no shell', () => {
    const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
    expect(last.filter((line) => /^(RUN|SHELL|ENTRYPOINT) /.test(line))).toEqual([]);
    for (const line of last.filter((one) => /^(CMD|HEALTHCHECK) /.test(one)))
      expect(line).toMatch(/CMD \["node", /);
  });

  it('asks /livez for its health, which no outage of Redis fails', async () => {
    expect(await health()).toEqual({ code: 0, asked: ['127.0.0.1/livez'] });
    expect((await health({ status: 503 })).code).toBe(1);
  });

  it.for(listening.filter(([host]) => hasIpv6 || !host.includes(':')))(
    'of a node that listens on %s asks %s',
    async ([host, asked]) => {
      expect(await health({ host })).toEqual({ code: 0, asked: [`${asked}/livez`] });
    },
  );

  it('asks the admin port that the settings name: no other, and not by TLS', async () => {
    expect((await health({ told: { SOLESEAT_ADMIN_PORT: '1' } })).asked).toEqual([]);
    const tls = { SOLESEAT_TLS_CERT: 'cert.pem', SOLESEAT_TLS_KEY: 'key.pem' };
    expect((await health({ told: tls })).code).toBe(0);
  });
});

interface Node {
  readonly host?: string;
  readonly status?: number;
  /** Settings that the health check is told beside where the node listens. */
  readonly told?: Readonly<Record<string, string>>;
}

/** Runs the command that the Dockerfile names, beside what stands for a node. */
async function health({ host = '127.0.0.1', status = 200, told = {} }: Node = {}) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const named = request.headers.host?.replace(/:\d+$/, '');
    asked.push(`${named}${request.url}`);
    response.writeHead(status).end();
  }).listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [command = '', ...args] = commandOf(valuesOf('HEALTHCHECK')[0] ?? '');
  expect(command).toBe('node');
  const env = { SOLESEAT_ADMIN_HOST: host, SOLESEAT_ADMIN_PORT: String(port), ...told };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'ignore' });
  const [code] = await once(child, 'close');
  server.close();
  server.closeAllConnections();
  return { code, asked };
}

function commandOf(healthCheck: string): string[] {
  return JSON.parse(/ CMD (\[.*\])$/.exec(healthCheck)?.[1] ?? '[]');
}
