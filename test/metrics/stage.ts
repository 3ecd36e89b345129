import { Redis } from 'ioredis';
import type { HelloMessage } from '../../packages/client/src/protocol/messages.js';
import type { SettingTexts } from '../../src/base/settings.js';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import type { TlsPair } from '../../src/gateway/tls.js';
import { Desktop } from '../support/desktop.js';
import { startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';
import { RedisProxy } from '../support/redis-proxy.js';
import { Scrape } from '../support/scrape.js';

/** What makes one metric move. */
export interface Cause {
  /** The series that moves, as on the page. `ADDRESS` stands for that of Redis. */
  readonly series: string;
  readonly settings?: SettingTexts;
  readonly tls?: TlsPair;
  readonly happen: (stage: Stage) => Promise<unknown>;
  /** Whether the cause leaves Redis in a state that is of no use to others. */
  readonly ruinsRedis?: boolean;
  /** Whether the series has moved as the cause has it. By default: it has grown. */
  readonly isMoved?: (after: number, before: number) => boolean;
}

/** A proxy before a Redis, and a node, for one cause alone. */
export class Stage {
  readonly #others: RedisProcess[] = [];

  private constructor(
    readonly redis: RedisProcess,
    readonly proxy: RedisProxy,
    readonly store: Redis,
    readonly node: Broker,
  ) {}

  /** On this Redis, which must be empty. */
  static async set(
    redis: RedisProcess,
    settings: SettingTexts = {},
    tls: TlsPair | null = null,
  ): Promise<Stage> {
    const proxy = await RedisProxy.start(redis.url);
    const node = await startNode(proxy.url, { SOLESEAT_METRICS_EVERY_MS: '100', ...settings }, tls);
    const store = new Redis(redis.url);
    store.on('error', () => {});
    return new Stage(redis, proxy, store, node);
  }

  /** The label of Redis's series. */
  get address(): string {
    return new URL(this.proxy.url).host;
  }

  scrape(): Promise<Scrape> {
    return Scrape.of(this.node.ports.admin);
  }

  /** A program that has said hello. */
  dial(user: string, machine: string, more: Partial<HelloMessage> = {}): Promise<Desktop> {
    return Desktop.hello(this.node.ports.public, user, machine, more);
  }

  /** A program that has its seat. */
  async seat(user: string, machine = 'workstation'): Promise<Desktop> {
    const desktop = await this.dial(user, machine);
    await desktop.told('welcome');
    return desktop;
  }

  /** Another Redis, which ends with the stage. */
  async otherRedis(): Promise<RedisProcess> {
    const other = await testRedis();
    this.#others.push(other);
    return other;
  }

  /** Ends all but Redis, which is left as it is unless it is to be emptied for the next stage. */
  async clear(isToBeEmptied: boolean): Promise<void> {
    // A stopped process must run to end.
    this.redis.kill('SIGCONT');
    await this.node.stop();
    if (isToBeEmptied) await this.store.flushall();
    this.store.disconnect();
    this.proxy.stop();
    for (const other of this.#others) await other.stop();
  }
}
