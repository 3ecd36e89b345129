import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { keyRingFromSecret } from '../src/auth/read-keys.js';
import { mintAdminToken, mintToken } from '../src/auth/tokens.js';
import { provisionRedis } from '../src/embedded/find-redis.js';
import { pickFreePort } from '../src/embedded/redis-probe.js';
import { type RedisProcess, startRedis } from '../src/embedded/redis-process.js';

const POLL_MS = 50;
const SECRET = 'a secret of the fuzzer, of more than 32 bytes';
const LIFE_SECONDS = 86_400;
/** Lines of the log that are no complaint: up to `warn` in pino's numbers. */
const HARMLESS_LEVEL = 40;

/** Long, so that a busy machine alone does nobody harm: two pings without an answer are 20 s. */
export const LEASE_TTL_MS = 60_000;
const RENEW_EVERY_MS = 10_000;

const settings = {
  SOLESEAT_HOST: '127.0.0.1',
  SOLESEAT_JWT_SECRET: SECRET,
  SOLESEAT_LICENSE_MODE: 'open',
  SOLESEAT_LOG_LEVEL: 'error',
  SOLESEAT_LEASE_TTL_MS: String(LEASE_TTL_MS),
  SOLESEAT_RENEW_EVERY_MS: String(RENEW_EVERY_MS),
  SOLESEAT_COMMAND_TIMEOUT_MS: '9000',
  // All of them come from one address, and nobody is to be kept out.
  SOLESEAT_HANDSHAKES_PER_SECOND: '0',
  SOLESEAT_CONNECTIONS_PER_ADDRESS: '0',
  SOLESEAT_CLAIMS_PER_MINUTE: '0',
  SOLESEAT_TAKEOVERS_PER_MINUTE: '0',
};

/** A real broker in a process of its own, on a Redis of its own. */
export class Stage {
  /** What it logged as an error, and what it wrote that is no line of a log. */
  readonly complaints: string[] = [];
  #leftBytes: number | null = null;

  private constructor(
    readonly ports: { readonly public: number; readonly admin: number },
    private readonly child: ChildProcess,
    private readonly redis: RedisProcess,
  ) {
    for (const stream of [child.stderr, child.stdout]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
  }

  /** `root` is the folder of the project. */
  static async start(root: string): Promise<Stage> {
    const { path } = await provisionRedis({ onProgress: () => {} });
    const redis = await startRedis({ binary: path });
    const ports = { public: await pickFreePort(), admin: await pickFreePort() };
    const hook = pathToFileURL(join(root, 'fuzz', 'memory-hook.mjs')).href;
    const args = ['--expose-gc', '--import', hook, join(root, 'dist', 'cli', 'main.js'), 'serve'];
    const own = {
      REDIS_URL: redis.url,
      SOLESEAT_PORT: String(ports.public),
      SOLESEAT_ADMIN_PORT: String(ports.admin),
    };
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, args, {
      env: { PATH, ...settings, ...own },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stage = new Stage(ports, child, redis);
    while (!(await stage.isReady())) {
      if (!stage.isAlive) throw new Error(`the broker did not start:\n${stage.complaints.join('\n')}`);
      await pause(POLL_MS);
    }
    return stage;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async isReady(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/readyz`).catch(() => null);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  }

  /** What is left in memory once garbage has been collected; null where the process has ended. */
  async leftBytes(): Promise<number | null> {
    this.#leftBytes = null;
    this.child.kill('SIGUSR2');
    while (this.#leftBytes === null && this.isAlive) await pause(POLL_MS);
    return this.#leftBytes;
  }

  /** How many connections the broker has. */
  async connections(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.admin}/metrics`);
    return Number(/^soleseat_connections (\d+)/m.exec(await answer.text())?.[1] ?? Number.NaN);
  }

  async fetchJson(path: string): Promise<unknown> {
    return (await fetch(`http://127.0.0.1:${this.ports.admin}${path}`)).json();
  }

  async stop(): Promise<void> {
    if (this.isAlive) {
      const ended = once(this.child, 'close');
      this.child.kill('SIGKILL');
      await ended;
    }
    await this.redis.stop();
  }

  #read(line: string): void {
    const { level, leftBytes } = lineOf(line);
    if (leftBytes !== undefined) this.#leftBytes = leftBytes;
    else if (level === undefined || level > HARMLESS_LEVEL) this.complaints.push(line);
  }
}

function lineOf(line: string): { readonly level?: number; readonly leftBytes?: number } {
  try {
    return JSON.parse(line) as { level?: number };
  } catch {
    return {};
  }
}

const [key] = keyRingFromSecret(SECRET).keys;

export function tokenOf(user: string, org: string): string {
  if (key === undefined) throw new Error('there is no key');
  const claims = { issuer: 'soleseat', audience: 'soleseat', expiresInSeconds: LIFE_SECONDS };
  return mintToken({ key, user, org, ...claims });
}

/** A token that may do everything: what is refused is refused for what it is. */
export function ownerToken(): string {
  if (key === undefined) throw new Error('there is no key');
  const claims = { issuer: 'soleseat', audience: 'soleseat-admin', expiresInSeconds: LIFE_SECONDS };
  return mintAdminToken({ key, subject: 'fuzzer', role: 'owner', org: '*', ...claims });
}
