import type { Clock } from '../base/clock.js';
import type { RedisConnection } from './redis.js';

/** What replies can be late by, and clocks drift apart between two of them, without anybody having set a clock. */
const TOLERANCE_MS = 1000;
/** 2200-01-01. A later clock is wrong, and is not believed: see lua/reign.lua. */
const LATEST_MS = 7_258_118_400_000;

/**
 * What Redis's clock says now, learnt from its replies, and whether somebody has set it.
 *
 * Redis read its clock between the sending of a command and its reply, so each reply bounds the offset from both
 * sides. Of these the lower one is used: a deadline computed from it ends too early rather than too late.
 */
export class RedisClock {
  #offset: { readonly least: number; readonly most: number } | null = null;
  #furthestOffset: number | null = null;

  /** `onStep` is called with the size in ms, negative when the clock went back. A node that was halted with its
   * monotonic clock, as a paused virtual machine is, sees the same: for its leases it is the same. */
  constructor(
    private readonly clock: Clock,
    private readonly onStep: (stepMs: number) => void = () => {},
  ) {}

  /** To be called before a command is sent; what it gives takes the Redis time of the reply. */
  exchange(): (redisMs: unknown) => number {
    const sentMs = this.clock();
    return (redisMs) => this.#learn(redisMs, sentMs);
  }

  /** Asks Redis, and gives its time in ms. */
  async ask(redis: Pick<RedisConnection, 'time'>): Promise<number> {
    const learn = this.exchange();
    const [seconds, microseconds] = await redis.time();
    return learn(Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000));
  }

  /** Null until the first reply. */
  nowMs(): number | null {
    return this.#offset === null ? null : this.clock() + this.#offset.least;
  }

  /**
   * The furthest clock seen on any server so far, carried on by this node's own: below it reigns may have begun
   * (promise 8). Never ahead of that clock. 0 until the first reply.
   */
  furthestMs(): number {
    return this.#furthestOffset === null ? 0 : this.clock() + this.#furthestOffset;
  }

  /** Some server's clock said this. It may be long ago, as in an answer that is given again. */
  saw(redisMs: number): void {
    // promise 8: a reply gives a lower bound of the clock, and the quickest reply the best. An upper bound would put a
    // reign too far ahead by as long as the reply took, and the node that begins the next one could not know.
    if (redisMs < LATEST_MS)
      this.#furthestOffset = Math.max(
        this.#furthestOffset ?? Number.NEGATIVE_INFINITY,
        redisMs - this.clock(),
      );
  }

  #learn(redisMs: unknown, sentMs: number): number {
    const ms = Number(redisMs);
    if (!Number.isFinite(ms)) return ms;
    this.saw(ms);
    const before = this.#offset;
    const offset = { least: ms - this.clock(), most: ms - sentMs };
    this.#offset = offset;
    if (before === null) return ms;
    if (offset.least > before.most + TOLERANCE_MS) this.onStep(offset.least - before.most);
    else if (offset.most < before.least - TOLERANCE_MS) this.onStep(offset.most - before.least);
    return ms;
  }
}
