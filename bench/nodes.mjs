import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { endWithParent, hasEnded } from '../dist/embedded/child-process.js';
import { pickFreePort } from '../dist/embedded/redis-probe.js';

const READY_TIMEOUT_MS = 15_000;
const POLL_MS = 20;

/** The two kinds of node. Each start gives `{ pid, port, kill }`. */
export const kinds = { bare: startBare, soleseat: startSoleseat };

/** What the person has set for a broker of their own is not meant for these. */
export function plainEnvironment(extra) {
  const own = Object.entries(process.env).filter(
    ([name]) => name !== 'REDIS_URL' && !name.startsWith('SOLESEAT_'),
  );
  return { ...Object.fromEntries(own), ...extra };
}

async function startBare({ redisUrl, secret, logFile }) {
  const log = openSync(logFile, 'w');
  const child = fork(join(import.meta.dirname, 'bare-node.mjs'), {
    env: plainEnvironment({ REDIS_URL: redisUrl, BENCH_SECRET: secret }),
    execArgv: [],
    stdio: ['ignore', 'ignore', log, 'ipc'],
  });
  closeSync(log);
  endWithParent(child);
  const kill = () => killChild(child);
  const ready = once(child, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(readFileSync(logFile, 'utf8'))));
  ended.catch(() => {});
  try {
    const [{ port }] = await Promise.race([ready, ended]);
    return { pid: child.pid, port, kill };
  } catch (error) {
    await kill();
    throw new Error(`the bare node did not start: ${error.message}`);
  }
}

/** As in production: default settings and log level; only the limits that one address would run into are off. */
async function startSoleseat({ redisUrl, secret, logFile }) {
  const [port, adminPort] = [await pickFreePort(), await pickFreePort()];
  const log = openSync(logFile, 'w');
  const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [main, 'serve'], {
    env: plainEnvironment({
      REDIS_URL: redisUrl,
      SOLESEAT_HOST: '127.0.0.1',
      SOLESEAT_PORT: String(port),
      SOLESEAT_ADMIN_PORT: String(adminPort),
      SOLESEAT_LICENSE_MODE: 'open',
      SOLESEAT_JWT_SECRET: secret,
      SOLESEAT_LOG_LEVEL: 'info',
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '0',
      SOLESEAT_HANDSHAKES_PER_SECOND: '0',
    }),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  endWithParent(child);
  const kill = () => killChild(child);
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady(adminPort))) {
    if (hasEnded(child) || performance.now() > deadline) {
      await kill();
      throw new Error(`the Soleseat node did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
    }
    await pause(POLL_MS);
  }
  return { pid: child.pid, port, kill };
}

function isReady(adminPort) {
  return fetch(`http://127.0.0.1:${adminPort}/readyz`, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Its Redis is thrown away with it: a drain would only take time. */
export async function killChild(child) {
  if (child.pid === undefined || hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
