import { Cluster } from 'ioredis';
import type { Log } from '../base/log.js';
import type { RedisConnection } from './redis.js';
import type { RedisClock } from './redis-clock.js';

export interface PulseParts {
  readonly redis: RedisConnection;
  readonly redisClock: RedisClock;
  readonly everyMs: number;
  readonly log: Log;
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

  /** Asks for the first time, so that Redis's time is known before anything is claimed. Rejects without an answer. */
  async start(): Promise<void> {
    const { redis, everyMs } = this.parts;
    await this.#ask();
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
      this.#missed(error);
    }
    this.#isAsking = false;
  }

  async #ask(): Promise<void> {
    const { redis, redisClock, log } = this.parts;
    await redisClock.ask(redis);
    if (!this.#isUp) log.info('Redis answers');
    this.#isUp = true;
  }

  #missed(error: unknown): void {
    const { redis, log } = this.parts;
    // One master of a cluster does not speak for the others; ioredis finds out about them.
    if (redis instanceof Cluster && redis.status === 'ready') return;
    if (this.#isUp) log.warn({ reason: String(error) }, 'Redis does not answer');
    this.#isUp = false;
  }
}
