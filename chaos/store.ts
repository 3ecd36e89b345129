import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { provisionRedis } from '../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../src/embedded/redis-process.js';
import { keyNames } from '../src/store/keys.js';
import { root, workFolder } from './places.js';
import { ORG } from './timing.js';

const REPLICA_WAIT_MS = 4000;
const POLL_MS = 25;
/** The discard port: nobody listens there. */
const NOBODYS_PORT = '9';

interface Server {
  readonly process: RedisProcess;
  readonly folder: string;
  /** Sets its clock so many seconds ahead; null where there is no C compiler to make a clock that can be set. */
  readonly setClock: ((aheadSeconds: number) => void) | null;
}

/** A Redis and its replica, both real, with append-only files. Which of them is the primary changes. */
export class Store {
  private constructor(
    private primary: Server,
    private replica: Server,
  ) {}

  static async start(): Promise<Store> {
    const { path } = await provisionRedis({ cacheDir: join(workFolder, 'redis'), onProgress: () => {} });
    const [primary, replica] = [await launch(path), await launch(path)];
    const store = new Store(primary, replica);
    await store.#follow();
    return store;
  }

  /** Where the primary is. */
  get port(): number {
    return this.primary.process.port;
  }

  get hasClocks(): boolean {
    return this.primary.setClock !== null && this.replica.setClock !== null;
  }

  setClocks(aheadSeconds: { readonly primary: number; readonly replica: number }): void {
    this.primary.setClock?.(aheadSeconds.primary);
    this.replica.setClock?.(aheadSeconds.replica);
  }

  /** A connection to the primary of the moment. The caller ends it. */
  connect(): Redis {
    return connectTo(this.primary);
  }

  /** One command to the primary. Rejects when it does not answer in time. */
  async command(...words: [string, ...string[]]): Promise<unknown> {
    return ask(this.primary, words);
  }

  /** Whether somebody has begun the reign of the primary of the moment. */
  async hasReign(): Promise<boolean> {
    const reign = String(await this.command('GET', keyNames('soleseat:').reign(ORG)));
    const info = String(await this.command('INFO', 'replication'));
    const [, id = '?'] = /master_replid:(\w{16})/.exec(info) ?? [];
    return reign.startsWith(`${id}:`);
  }

  /** The primary's clock. */
  async timeMs(): Promise<number> {
    const [seconds, microseconds] = (await this.command('TIME')) as [string, string];
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  /** How many nodes were heard since then, by Redis's clock. */
  async nodesSeenSince(ms: number): Promise<number> {
    return Number(await this.command('ZCOUNT', keyNames('soleseat:').nodes, String(ms), '+inf'));
  }

  signal(name: NodeJS.Signals): void {
    this.primary.process.kill(name);
  }

  /** `wipes`: without its data. */
  async restart({ wipes }: { readonly wipes: boolean }): Promise<void> {
    if (wipes) rmSync(join(this.primary.folder, 'appendonlydir'), { recursive: true, force: true });
    await this.primary.process.restart();
    // Its replica may follow by itself, or hold more than the primary has now.
    await this.#follow();
  }

  /** Whether the replica has all that the primary has, waiting a while for it. */
  async isReplicaReady(): Promise<boolean> {
    const deadlineMs = performance.now() + REPLICA_WAIT_MS;
    while (performance.now() < deadlineMs) {
      const info = String(await ask(this.replica, ['INFO', 'replication']).catch(() => ''));
      if (info.includes('master_link_status:up')) return true;
      await pause(POLL_MS);
    }
    return false;
  }

  /** From here on what the primary writes does not reach the replica. */
  async partReplica(): Promise<void> {
    await ask(this.replica, ['REPLICAOF', 'NO', 'ONE']);
  }

  /** It follows a master that it does not reach: it learns nothing, and forgets nothing, until it takes over. */
  async isolateReplica(): Promise<void> {
    await ask(this.replica, ['REPLICAOF', '127.0.0.1', NOBODYS_PORT]);
  }

  /** The replica takes over. The old primary is left as it is until `rejoin`. */
  swap(): void {
    [this.primary, this.replica] = [this.replica, this.primary];
  }

  /** The old primary, dead or alive, becomes the replica, and forgets what only it knew. */
  async rejoin({ isDead }: { readonly isDead: boolean }): Promise<void> {
    if (isDead) await this.replica.process.restart();
    await this.#follow();
  }

  async stop(): Promise<void> {
    for (const { process, folder } of [this.primary, this.replica]) {
      await process.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #follow(): Promise<void> {
    await ask(this.replica, ['REPLICAOF', '127.0.0.1', String(this.primary.process.port)]);
  }
}

async function launch(binary: string): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-chaos-'));
  const extraArgs = ['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'];
  const clock = await settableClock();
  const server = clock === null ? binary : wrapped(binary, clock.env, folder);
  const process = await startRedis({ binary: server, dir: folder, appendOnly: true, extraArgs });
  return { process, folder, setClock: clock?.set ?? null };
}

type SettableClock = typeof import('../reliability/settable-clock.mjs').settableClock;

/** It is no part of any build, and lies where the sources are. */
async function settableClock(): Promise<ReturnType<SettableClock>> {
  const file = join(root, 'reliability', 'settable-clock.mjs');
  const module = (await import(pathToFileURL(file).href)) as { readonly settableClock: SettableClock };
  return module.settableClock();
}

/** The server as a program that needs no environment. */
function wrapped(binary: string, env: Readonly<Record<string, string>>, folder: string): string {
  const file = join(folder, 'redis-server');
  const settings = Object.entries(env).map(([name, value]) => `export ${name}='${value}'`);
  writeFileSync(file, `#!/bin/sh\n${settings.join('\n')}\nexec '${binary}' "$@"\n`, { mode: 0o755 });
  return file;
}

function connectTo({ process }: Server): Redis {
  const redis = new Redis(process.port, '127.0.0.1', {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    commandTimeout: 2000,
    connectTimeout: 2000,
  });
  redis.on('error', () => {});
  return redis;
}

async function ask(server: Server, [command, ...words]: [string, ...string[]]): Promise<unknown> {
  const redis = connectTo(server);
  try {
    await redis.connect();
    return await redis.call(command, ...words);
  } finally {
    redis.disconnect();
  }
}
