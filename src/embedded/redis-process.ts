import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { end, endWithParent, hasEnded } from './child-process.js';
import { askRedis, pickFreePort } from './redis-probe.js';
import { lastLines } from './run-command.js';

const START_TIMEOUT_MS = 15_000;
const ORPHAN_TIMEOUT_MS = 1_500;
const POLL_MS = 10;
const PORT_ATTEMPTS = 5;

export interface RedisOptions {
  readonly binary: string;
  /** Where its data lives. Without it nothing outlives the process. */
  readonly dir?: string;
  readonly port?: number;
  readonly appendOnly?: boolean;
  readonly extraArgs?: readonly string[];
  /** Lines of a Sentinel's configuration: starts a Sentinel, which keeps its state in a file of them. */
  readonly sentinel?: readonly string[];
}

export interface RedisProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The same port and folder, after an end of whatever kind. */
  restart(): Promise<void>;
}

/** Starts a redis-server of our own on the loopback address, and answers when it does. */
export async function startRedis(options: RedisOptions): Promise<RedisProcess> {
  const isKept = options.dir !== undefined;
  const dir = isKept ? resolve(options.dir) : mkdtempSync(join(tmpdir(), 'soleseat-redis-'));
  mkdirSync(dir, { recursive: true });
  if (isKept) await refuseSharedFolder(dir);
  try {
    const { child, port } = await launchOnSomePort(options, dir);
    return new RunningRedis(options, dir, isKept, child, port);
  } catch (error) {
    if (!isKept) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

class RunningRedis implements RedisProcess {
  constructor(
    private readonly options: RedisOptions,
    private readonly dir: string,
    private readonly isKept: boolean,
    private child: ChildProcess,
    readonly port: number,
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    await end(this.child);
    if (!this.isKept) rmSync(this.dir, { recursive: true, force: true });
  }

  async restart(): Promise<void> {
    await end(this.child);
    mkdirSync(this.dir, { recursive: true });
    this.child = await launch(this.options, this.dir, this.port);
  }
}

async function launchOnSomePort(
  options: RedisOptions,
  dir: string,
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await pickFreePort());
    try {
      return { child: await launch(options, dir, port), port };
    } catch (error) {
      const isClash = /address already in use/i.test((error as Error).message);
      if (!isClash || options.port !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function launch(options: RedisOptions, dir: string, port: number): Promise<ChildProcess> {
  const logFile = join(dir, 'redis.log');
  const log = openSync(logFile, 'w');
  // A group of its own: Ctrl+C must reach the broker, which still needs Redis while it drains.
  const child = spawn(options.binary, redisArguments(options, dir, port), {
    cwd: dir,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let failure: string | undefined;
  child.on('error', (error) => {
    failure = error.message;
  });
  endWithParent(child);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await answersAs(child, port))) {
    if (hasEnded(child)) failure ??= `it ended with ${child.signalCode ?? child.exitCode}`;
    if (performance.now() > deadline) failure ??= `it did not answer within ${START_TIMEOUT_MS / 1000} s`;
    if (failure === undefined) {
      await pause(POLL_MS);
      continue;
    }
    await end(child);
    const ending = lastLines(readFileSync(logFile, 'utf8'), 8);
    throw new Error(
      `redis-server did not start on port ${port} (${options.binary}): ${failure}\n${ending}`.trimEnd(),
    );
  }
  writeFileSync(join(dir, 'redis.json'), `${JSON.stringify({ pid: child.pid, port })}\n`);
  child.unref();
  return child;
}

function redisArguments(options: RedisOptions, dir: string, port: number): string[] {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: options.appendOnly ? 'yes' : 'no',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  args.push(...(options.extraArgs ?? []));
  if (options.sentinel === undefined) return args;
  const file = join(dir, 'sentinel.conf');
  writeFileSync(file, `${options.sentinel.join('\n')}\n`);
  return [file, ...args, '--sentinel'];
}

/** Another server may hold the port: only an answer from our own child counts. */
async function answersAs(child: ChildProcess, port: number): Promise<boolean> {
  if (child.pid === undefined || hasEnded(child)) return false;
  const answer = await askRedis(port);
  return answer.isUp && (answer.pid === undefined || answer.pid === child.pid);
}

/** Two servers on one append-only file destroy it. */
async function refuseSharedFolder(dir: string): Promise<void> {
  const deadline = performance.now() + ORPHAN_TIMEOUT_MS;
  for (let owner = readOwner(dir); owner !== undefined; await pause(POLL_MS)) {
    const answer = await askRedis(owner.port);
    if (!answer.isUp || answer.pid !== owner.pid) return;
    // The server of a killed parent is ending about now: give it the time.
    if (performance.now() < deadline) continue;
    throw new Error(
      `Another redis-server (pid ${owner.pid}, port ${owner.port}) already uses ${dir}. ` +
        'Stop the Soleseat that started it, or end that process, then try again.',
    );
  }
}

function readOwner(dir: string): { pid: number; port: number } | undefined {
  try {
    return JSON.parse(readFileSync(join(dir, 'redis.json'), 'utf8'));
  } catch {
    return undefined;
  }
}
