import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { endWithParent, hasEnded } from '../dist/embedded/child-process.js';
import { pickFreePort } from '../dist/embedded/redis-probe.js';

const READY_TIMEOUT_MS = 30_000;
const ANSWER_TIMEOUT_MS = 300_000;
const POLL_MS = 20;
const main = join(import.meta.dirname, '..', 'dist', 'cli', 'main.js');
const probe = join(import.meta.dirname, 'probe.mjs');

/** The two kinds of node. Each start gives `{ port, usage, kill }`. */
export const kinds = { bare: startBare, soleseat: startSoleseat };

/** What the person has set for a broker of their own is not meant for these. */
export function plainEnvironment(extra) {
  const own = Object.entries(process.env).filter(
    ([name]) => name !== 'REDIS_URL' && !name.startsWith('SOLESEAT_'),
  );
  return { ...Object.fromEntries(own), ...extra };
}

async function startBare({ redisUrl, secret, logFile }) {
  const env = { REDIS_URL: redisUrl, BENCH_SECRET: secret };
  const child = launch(join(import.meta.dirname, 'bare-node.mjs'), [], env, logFile);
  const ready = once(child, 'message', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
  ready.catch(() => {});
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(readFileSync(logFile, 'utf8'))));
  ended.catch(() => {});
  try {
    const [{ port }] = await Promise.race([ready, ended]);
    return controls(child, port);
  } catch (error) {
    await killChild(child);
    throw new Error(`the bare node did not start: ${error.message}`);
  }
}

/**
 * As in production: default settings and log level. No licenses are needed, as the bare node knows none; off are the limits
 * that one address would run into,
 * and the command timeout is out of the way of a machine that stalls: the bare node has none.
 */
async function startSoleseat({ redisUrl, secret, logFile, more = {} }) {
  const [port, adminPort] = [await pickFreePort(), await pickFreePort()];
  const env = {
    REDIS_URL: redisUrl,
    SOLESEAT_HOST: '127.0.0.1',
    SOLESEAT_PORT: String(port),
    SOLESEAT_ADMIN_PORT: String(adminPort),
    SOLESEAT_LICENSE_MODE: 'open',
    SOLESEAT_JWT_SECRET: secret,
    SOLESEAT_LOG_LEVEL: 'info',
    SOLESEAT_COMMAND_TIMEOUT_MS: '9000',
    SOLESEAT_CONNECTIONS_PER_ADDRESS: '0',
    SOLESEAT_HANDSHAKES_PER_SECOND: '0',
    ...more,
  };
  const child = launch(main, ['serve'], env, logFile);
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady(adminPort))) {
    if (hasEnded(child) || performance.now() > deadline) {
      await killChild(child);
      throw new Error(`the Soleseat node did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
    }
    await pause(POLL_MS);
  }
  return controls(child, port);
}

/** Both kinds run with the same flags; the log goes to a file, as where a service manager keeps it. */
function launch(program, args, env, logFile) {
  const log = openSync(logFile, 'a');
  const child = fork(program, args, {
    env: plainEnvironment(env),
    execArgv: ['--expose-gc', '--import', probe],
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  endWithParent(child);
  return child;
}

function controls(child, port) {
  let asked = 0;
  return {
    port,
    pid: child.pid,
    kill: () => killChild(child),
    /** CPU used so far and memory now; with `collect` after a garbage collection. */
    usage({ collect }) {
      const id = ++asked;
      child.send({ probe: id, collect });
      return answerOf(child, (message) => message.probe === id, 'the node');
    },
  };
}

/** The first message of a child that fits; rejects when the child ends or keeps silent. */
export function answerOf(child, fits, who, withinMs = ANSWER_TIMEOUT_MS) {
  return new Promise((resolve, reject) => {
    const stop = (settle, value) => {
      clearTimeout(overdue);
      child.off('message', onMessage);
      child.off('exit', onExit);
      settle(value);
    };
    const onMessage = (message) => {
      if (fits(message)) stop(resolve, message);
    };
    const onExit = () => stop(reject, new Error(`${who} ended early`));
    const overdue = setTimeout(
      () => stop(reject, new Error(`${who} gave no answer within ${withinMs / 1000} s`)),
      withinMs,
    );
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
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
