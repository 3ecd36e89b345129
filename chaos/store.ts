import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { provisionRedis } from '../src/embedded/find-redis.js';
import { type RedisProcess, startRedis } from '../src/embedded/redis-process.js';
import { workFolder } from './places.js';

const REPLICA_WAIT_MS = 4000;
const POLL_MS = 25;

interface Server {
  readonly process: RedisProcess;
  readonly folder: string;
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

  /** A connection to the primary of the moment. The caller ends it. */
  connect(): Redis {
    return connectTo(this.primary);
  }

  /** One command to the primary. Rejects when it does not answer in time. */
  async command(...words: [string, ...string[]]): Promise<unknown> {
    return ask(this.primary, words);
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
  return { process: await startRedis({ binary, dir: folder, appendOnly: true, extraArgs }), folder };
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
