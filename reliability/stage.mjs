import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { killChild, plainEnvironment } from '../bench/nodes.mjs';
import { endWithParent, hasEnded } from '../dist/embedded/child-process.js';
import { pickFreePort } from '../dist/embedded/redis-probe.js';
import { startRedis } from '../dist/embedded/redis-process.js';
import { Wire } from './wire.mjs';

const root = join(import.meta.dirname, '..');
const hooks = new URL('../test/support/node-hooks.mjs', import.meta.url).href;
const START_WITHIN_MS = 60_000;
const HEALTH_CHECK_MS = 200;

/** A fifth of the defaults, so that a run takes minutes. */
export const settings = {
  SOLESEAT_LEASE_TTL_MS: '6000',
  SOLESEAT_RENEW_EVERY_MS: '2000',
  SOLESEAT_JEOPARDY_GRACE_MS: '12000',
  SOLESEAT_COMMAND_TIMEOUT_MS: '1000',
  SOLESEAT_DRAIN_MS: '2000',
};

/** A Redis, nodes that reach it over a wire, and a load balancer before them that asks for their health. */
export class Stage {
  secret = randomBytes(32).toString('base64url');
  nodes = [];
  #ends = [];

  static async build({ binary, nodeCount = 2, redisEnv = {} }) {
    const stage = new Stage();
    try {
      // startRedis hands its environment on.
      Object.assign(process.env, redisEnv);
      stage.redis = await startRedis({ binary });
      for (const name of Object.keys(redisEnv)) delete process.env[name];
      stage.#ends.push(() => stage.redis.stop());
      stage.store = new Redis(stage.redis.url, {
        commandTimeout: 300,
        maxRetriesPerRequest: 0,
        enableOfflineQueue: false,
        retryStrategy: () => 50,
      });
      stage.store.on('error', () => {});
      stage.#ends.push(() => stage.store.disconnect());
      stage.toRedis = await Wire.open(() => stage.redis.port);
      stage.#ends.push(() => stage.toRedis.close());
      await Promise.all(Array.from({ length: nodeCount }, () => stage.startNode()));
      let turn = 0;
      stage.toNodes = await Wire.open(() => {
        const ready = stage.nodes.filter(({ isReady }) => isReady);
        return ready.length === 0 ? null : ready[turn++ % ready.length].port;
      });
      stage.#ends.push(() => stage.toNodes.close());
      return stage;
    } catch (error) {
      await stage.clear();
      throw error;
    }
  }

  async startNode() {
    const [port, adminPort] = [await pickFreePort(), await pickFreePort()];
    const env = plainEnvironment({
      ...settings,
      REDIS_URL: `redis://127.0.0.1:${this.toRedis.port}`,
      SOLESEAT_HOST: '127.0.0.1',
      SOLESEAT_PORT: String(port),
      SOLESEAT_ADMIN_PORT: String(adminPort),
      SOLESEAT_LICENSE_MODE: 'open',
      SOLESEAT_JWT_SECRET: this.secret,
      SOLESEAT_LOG_LEVEL: 'silent',
      SOLESEAT_CLAIMS_PER_MINUTE: '0',
      TEST_ON_SIGUSR2: '9000',
    });
    const args = ['--import', hooks, join(root, 'dist', 'cli', 'main.js'), 'serve'];
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
    endWithParent(child);
    const node = { child, port, adminPort, isReady: false };
    this.nodes.push(node);
    this.#ends.push(() => killChild(child));
    const health = setInterval(async () => {
      node.isReady = !hasEnded(child) && (await isReady(adminPort));
    }, HEALTH_CHECK_MS);
    this.#ends.push(() => clearInterval(health));
    const deadline = performance.now() + START_WITHIN_MS;
    while (!node.isReady) {
      if (hasEnded(child) || performance.now() > deadline) throw new Error('a node did not start');
      await pause(20);
    }
    return node;
  }

  async clear() {
    for (const end of this.#ends.reverse()) await end();
  }
}

function isReady(adminPort) {
  return fetch(`http://127.0.0.1:${adminPort}/readyz`, { signal: AbortSignal.timeout(500) }).then(
    (response) => response.ok,
    () => false,
  );
}
