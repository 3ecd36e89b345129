import { describe, expect, it } from 'vitest';
import { fullJitter, MAX_TIMER_MS, waitBeforeReconnect } from '../../packages/client/src/backoff.js';

const backoff = { firstMs: 500, maxMs: 30_000 };
const almostOne = () => 1;

describe('the wait before a reconnect', () => {
  it('lies in a window that doubles with every failure, up to its limit', () => {
    const windows = [0, 1, 2, 5, 6, 2_000].map((failures) => fullJitter(failures, backoff, almostOne));
    expect(windows).toEqual([500, 1_000, 2_000, 16_000, 30_000, 30_000]);
  });

  it('may be anywhere in its window', () => {
    expect(fullJitter(2, backoff, () => 0)).toBe(0);
    expect(fullJitter(2, backoff, () => 0.25)).toBe(500);
  });

  it('is never shorter than the broker asked, and still spread', () => {
    expect(waitBeforeReconnect(0, { retryAfterMs: 4_000 }, backoff, () => 0)).toBe(4_000);
    expect(waitBeforeReconnect(0, { retryAfterMs: 4_000 }, backoff, () => 0.5)).toBe(4_250);
  });

  it('spreads over the window of a drain, not beyond the longest wait', () => {
    expect(waitBeforeReconnect(9, { drainWithinMs: 2_000 }, backoff, () => 0.5)).toBe(1_000);
    expect(waitBeforeReconnect(0, { drainWithinMs: 900_000 }, backoff, () => 0.5)).toBe(15_000);
  });

  it('fits a timer, whatever the broker asked', () => {
    expect(waitBeforeReconnect(0, { retryAfterMs: 1e15 }, backoff, almostOne)).toBe(MAX_TIMER_MS);
  });
});
