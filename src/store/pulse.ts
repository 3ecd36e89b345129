import { Cluster } from 'ioredis';
import type { Outages } from './outages.js';
import { isLoading, type RedisConnection } from './redis.js';
import type { RedisClock } from './redis-clock.js';

export interface PulseParts {
  readonly redis: RedisConnection;
  readonly redisClock: RedisClock;
  readonly everyMs: number;
  readonly outages: Outages;
  /** After every beat that Redis answered. */
  readonly onBeat: () => void;
}

/**
 * Asks Redis for its time, again and again. It tells whether Redis answers, which an open socket does not: a frozen
 * server and a cut network look alike, and both look well. Without anything to answer, a dead socket is not noticed either.
 */
export class Pulse {
  #timer: NodeJS.Timeout | null = null;
  #isUp = false;
  #isAsking = false;

  constructor(private readonly parts: PulseParts) {}

  /** Whether Redis answered last time, and the connection still stands. */
  get isUp(): boolean {
    return this.#isUp && this.parts.redis.status === 'ready';
  }

  /** Asks for the first time, or again where a start came to nothing, so that Redis's time is known before anything is claimed. Rejects without an answer. */
  async start(): Promise<void> {
    const { redis, everyMs } = this.parts;
    await this.#ask();
    if (this.#timer !== null) return;
    redis.on('ready', () => void this.#beat());
    this.#timer = setInterval(() => void this.#beat(), everyMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #beat(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await this.#ask();
      this.parts.onBeat();
    } catch (error) {
      void this.#missed(error);
    }
    this.#isAsking = false;
  }

  async #ask(): Promise<void> {
    const { redis, redisClock, outages } = this.parts;
    await redisClock.ask(redis);
    this.#isUp = true;
    outages.well('commands');
  }

  async #missed(error: unknown): Promise<void> {
    const { redis, outages } = this.parts;
    // One master of a cluster does not speak for the others; ioredis finds out about them.
    if (redis instanceof Cluster && redis.status === 'ready') return;
    this.#isUp = false;
    const isStarting = await isLoading(redis);
    // It may have answered meanwhile.
    if (this.#isUp) return;
    outages.failed(
      'commands',
      isStarting ? new Error('LOADING Redis is loading the dataset in memory') : error,
    );
  }
}
