import { describe, expect, it } from 'vitest';
import { RedisClock } from '../../src/store/redis-clock.js';

const HOUR_MS = 3_600_000;

/** A clock whose node is at `at.ms`, and whose Redis is `offsetMs` ahead of that. */
function setUp() {
  const at = { ms: 10_000 };
  const steps: number[] = [];
  const redisClock = new RedisClock(
    () => at.ms,
    (stepMs) => steps.push(stepMs),
  );
  /** A reply to a command that Redis ran `outMs` after it was sent, and that took `backMs` to come back. */
  const exchange = (offsetMs: number, outMs = 1, backMs = 1) => {
    const learn = redisClock.exchange();
    at.ms += outMs;
    const redisMs = at.ms + offsetMs;
    at.ms += backMs;
    learn(String(redisMs));
  };
  return { at, steps, redisClock, exchange };
}

describe("the node's idea of Redis's clock", () => {
  it('is never ahead of it, however slow the reply', () => {
    const { at, redisClock, exchange } = setUp();
    expect(redisClock.nowMs()).toBeNull();
    exchange(5_000, 10, 1_900);
    expect(redisClock.nowMs()).toBe(at.ms + 5_000 - 1_900);
  });

  it('knows the furthest clock that it has seen, by the quickest reply, and is never ahead of it', () => {
    const { at, redisClock, exchange } = setUp();
    expect(redisClock.furthestMs()).toBe(0);
    exchange(5_000, 900, 900);
    expect(redisClock.furthestMs()).toBe(at.ms + 5_000 - 900);
    exchange(5_000, 1_900, 2);
    expect(redisClock.furthestMs()).toBe(at.ms + 5_000 - 2);
    // Another master, whose clock is behind.
    exchange(0, 1, 1);
    at.ms += 60_000;
    expect(redisClock.furthestMs()).toBe(at.ms + 5_000 - 2);
  });

  it.each([-HOUR_MS, HOUR_MS, -5_000, 5_000])('notices that it was set by %i ms', (stepMs) => {
    const { steps, exchange } = setUp();
    exchange(0);
    exchange(stepMs);
    exchange(stepMs);
    expect(steps).toHaveLength(1);
    expect(Math.abs((steps[0] ?? 0) - stepMs)).toBeLessThan(10);
  });

  it('takes a slow answer, there or back, for no step', () => {
    const { steps, exchange } = setUp();
    for (const [out, back] of [
      [1, 1],
      [1, 30_000],
      [1, 1],
      [30_000, 1],
      [1, 1],
    ] as const)
      exchange(777, out, back);
    expect(steps).toEqual([]);
  });
});
