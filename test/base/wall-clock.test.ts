import { describe, expect, it } from 'vitest';
import { createWallClock } from '../../src/base/wall-clock.js';

const HOUR_MS = 3_600_000;
const START_MS = 1_800_000_000_000;

/** Three clocks that agree, to be set one by one. */
function clocks() {
  const clocks = { systemMs: START_MS, storeMs: START_MS as number | null, monotonicMs: 500 };
  const wallMs = createWallClock({
    systemMs: () => clocks.systemMs,
    storeMs: () => clocks.storeMs,
    clock: () => clocks.monotonicMs,
  });
  return { clocks, wallMs };
}

describe('the wall clock of a node', () => {
  it.each([-5 * HOUR_MS, 5 * HOUR_MS])("does not follow the system's when it is set by %i ms", (stepMs) => {
    const { clocks: three, wallMs } = clocks();
    wallMs();
    three.systemMs += stepMs;
    expect(wallMs()).toBe(START_MS);
  });

  it("is right in a node whose system's clock was wrong from the start", () => {
    const { clocks: three, wallMs } = clocks();
    three.systemMs += HOUR_MS;
    expect(wallMs()).toBe(START_MS);
  });

  it.each([-5 * HOUR_MS, 5 * HOUR_MS])("does not follow Redis's when it is set by %i ms", (stepMs) => {
    const { clocks: three, wallMs } = clocks();
    wallMs();
    three.storeMs = START_MS + stepMs;
    expect(wallMs()).toBe(START_MS);
  });

  it('is the time of the others where the monotonic one stood still', () => {
    const { clocks: three, wallMs } = clocks();
    wallMs();
    three.systemMs += HOUR_MS;
    three.storeMs = START_MS + HOUR_MS;
    expect(wallMs()).toBe(START_MS + HOUR_MS);
  });

  it("is the system's until Redis was heard", () => {
    const { clocks: three, wallMs } = clocks();
    three.storeMs = null;
    three.systemMs += 7;
    expect(wallMs()).toBe(START_MS + 7);
  });
});
