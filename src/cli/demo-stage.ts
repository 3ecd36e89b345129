import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { keyRingFromSecret } from '../auth/read-keys.js';
import { mintToken } from '../auth/tokens.js';
import type { SettingTexts } from '../base/settings.js';
import { end, endWithParent, hasEnded } from '../embedded/child-process.js';
import { pickFreePort } from '../embedded/redis-probe.js';
import { type RedisProcess, startRedis } from '../embedded/redis-process.js';
import { Wire } from './demo-wire.js';
import { ownRedis } from './own-redis.js';

const READY_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/** A broker node as a process of its own. */
export interface DemoNode {
  readonly name: string;
  readonly port: number;
  /** Ends it with no chance to say goodbye. */
  kill(): Promise<void>;
}

/** A Redis, two nodes and the wires to them; `stop` ends them all. */
export interface Stage {
  readonly redisPort: number;
  readonly nodes: readonly [DemoNode, DemoNode];
  token(): string;
  /** A way to the nodes, the preferred one first. */
  wire(...nodes: readonly DemoNode[]): Promise<Wire>;
  /** Has something ended before the rest is. */
  atStop(action: () => void): void;
  stop(): Promise<void>;
}

/** Starts everything, or leaves nothing behind. */
export async function setStage(): Promise<Stage> {
  const secret = randomBytes(32).toString('base64url');
  const children: ChildProcess[] = [];
  const atStop: (() => void)[] = [];
  let redis: RedisProcess | null = null;
  const stop = async () => {
    for (const action of atStop) action();
    await Promise.all(children.map(end));
    await redis?.stop();
  };
  try {
    redis = await startRedis({ binary: await ownRedis() });
    const texts = settingsOf(redis.url, secret);
    const nodes = await Promise.all([
      startNode('A', texts, (child) => children.push(child)),
      startNode('B', texts, (child) => children.push(child)),
    ]);
    return {
      redisPort: redis.port,
      nodes,
      token: () => signToken(secret),
      wire: async (...route) => {
        const wire = await Wire.lay(route.map(({ port }) => port));
        atStop.push(() => wire.close());
        return wire;
      },
      atStop: (action) => atStop.push(action),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settingsOf(redisUrl: string, secret: string): SettingTexts {
  // What the person has set for a broker of their own is not meant for these.
  const isForeign = ([name]: [string, string | undefined]) =>
    name === 'REDIS_URL' || name.startsWith('SOLESEAT_');
  return {
    ...Object.fromEntries(Object.entries(process.env).filter((one) => !isForeign(one))),
    REDIS_URL: redisUrl,
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_JWT_SECRET: secret,
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_LOG_LEVEL: 'error',
    SOLESEAT_LEASE_TTL_MS: '6000',
    SOLESEAT_RENEW_EVERY_MS: '1000',
    SOLESEAT_COMMAND_TIMEOUT_MS: '1000',
    SOLESEAT_DRAIN_MS: '100',
  };
}

async function startNode(
  name: string,
  texts: SettingTexts,
  onStart: (child: ChildProcess) => void,
): Promise<DemoNode> {
  const [port, adminPort] = [await pickFreePort(), await pickFreePort()];
  const env = { ...texts, SOLESEAT_PORT: String(port), SOLESEAT_ADMIN_PORT: String(adminPort) };
  const main = join(import.meta.dirname, 'main.js');
  // A group of its own: Ctrl+C ends the demo, which then ends its nodes. Their log must not mix with the story.
  const child = spawn(process.execPath, [main, 'serve'], {
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onStart(child);
  endWithParent(child);
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady(adminPort))) {
    if (hasEnded(child)) throw new Error(`node ${name} ended with ${child.signalCode ?? child.exitCode}`);
    if (performance.now() > deadline)
      throw new Error(`node ${name} was not ready within ${READY_TIMEOUT_MS} ms`);
    await pause(POLL_MS);
  }
  return {
    name,
    port,
    kill: async () => {
      if (hasEnded(child)) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function isReady(adminPort: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${adminPort}/readyz`, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.ok,
    () => false,
  );
}

function signToken(secret: string): string {
  const [key] = keyRingFromSecret(secret).keys;
  if (key === undefined) throw new Error('no key to sign a token with');
  const claims = { user: 'ada', org: 'acme', name: 'Ada', issuer: 'soleseat', audience: 'soleseat' };
  return mintToken({ ...claims, key, expiresInSeconds: 600 });
}
