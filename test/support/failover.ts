import { Redis } from 'ioredis';
import { testRedis } from './redis.js';

/**
 * A Redis that can lose what it was told last and get a new replication id, as the promotion of a replica that lagged
 * or the restart from an older copy do. The real ones are in test/flows; this one takes milliseconds.
 */
export class ForgetfulRedis {
  #copy: readonly (readonly [key: string, dump: Buffer, ttlMs: number])[] = [];

  private constructor(
    readonly url: string,
    readonly client: Redis,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(): Promise<ForgetfulRedis> {
    const redis = await testRedis(['--enable-debug-command', 'yes']);
    const client = new Redis(redis.url);
    return new ForgetfulRedis(redis.url, client, async () => {
      client.disconnect();
      await redis.stop();
    });
  }

  /** What a replica that stops to follow has. */
  async keepCopy(): Promise<void> {
    const keys = await this.client.keys('*');
    this.#copy = await Promise.all(
      keys.map(async (key) => {
        const [dump, ttlMs] = await Promise.all([this.client.dumpBuffer(key), this.client.pttl(key)]);
        return [key, dump as Buffer, Math.max(0, ttlMs)] as const;
      }),
    );
  }

  /** The copy becomes the master: what was written since is lost. */
  async failOver(): Promise<void> {
    await this.client.flushall();
    await Promise.all(this.#copy.map(([key, dump, ttlMs]) => this.client.restore(key, ttlMs, dump)));
    await this.newReign();
  }

  /** Nothing is lost, but nobody can know. */
  async newReign(): Promise<void> {
    await this.client.call('DEBUG', 'CHANGE-REPL-ID');
  }

  async flush(): Promise<void> {
    await this.client.flushall();
    this.#copy = [];
  }
}
