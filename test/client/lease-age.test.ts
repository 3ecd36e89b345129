import { describe, expect, it } from 'vitest';
import { MARGIN, type Reading, type Scenario, simulate } from './lease-simulation.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** Counted on for longer than the node did, at most, in seconds: an ordinary delay, and what the slew lets through. */
const EXACT = 0.21;
/** One resume after a doubt: the wait before it, and a round trip. */
const ONE_RESUME = 1;

/** What the reckoning does: with the wall clock compared, and with a clock that goes on in sleep. */
interface Expected {
  readonly beyond?: number;
  readonly missed?: number;
  readonly reconnects: number;
}
interface Case extends Scenario {
  readonly compared: Expected;
  readonly sleepless?: Expected;
}

const standsStill =
  (from: number, to: number): Reading =>
  (t) =>
    t < from ? t : t < to ? from : t - (to - from);
const drifting =
  (ppm: number): Reading =>
  (t) =>
    t * (1 + ppm / 1e6);
const late =
  (by: number, from: number, to = Number.POSITIVE_INFINITY) =>
  (t: number) =>
    t > from && t < to ? by : 0.03;

const healthy: Expected = { reconnects: 0 };
const oneQuietResume: Expected = { reconnects: 1 };
const oneResume: Expected = { reconnects: 1, missed: ONE_RESUME };

const cases: readonly Case[] = [
  {
    name: 'jitter of 20 to 100 ms with a tail',
    seconds: HOUR,
    delay: jitter(mulberry(1)),
    compared: healthy,
  },
  { name: 'welcome 3 s late', seconds: 60, welcomeDelay: 3, compared: healthy },
  {
    name: 'welcome 9 s late, then the node dies',
    seconds: 60,
    welcomeDelay: 9,
    nodeStopped: [1, 1e9],
    compared: { reconnects: 2, missed: 0.2 },
  },
  {
    name: 'one lease 20 s late (retransmitted)',
    seconds: 600,
    delay: late(20, 300, 306),
    compared: { reconnects: 1, missed: 0.2 },
  },
  {
    name: 'every message 2.5 s late from 300 s on',
    seconds: 2 * HOUR,
    delay: late(2.5, 300),
    compared: { ...healthy, beyond: MARGIN },
  },
  {
    name: 'sleep of 1 h, the monotonic clock stands, a stale message waits',
    seconds: 2 * HOUR,
    delay: late(0.2, 1_800),
    mono: standsStill(1_805, 1_805 + HOUR),
    stopped: [1_805, 1_805 + HOUR],
    compared: oneResume,
    sleepless: oneResume,
  },
  {
    name: 'sleep of 20 s, the monotonic clock stands',
    seconds: 600,
    mono: standsStill(305, 325),
    stopped: [305, 325],
    compared: oneResume,
    sleepless: oneQuietResume,
  },
  {
    name: 'sleep of 20 s, the monotonic clock goes on',
    seconds: 600,
    stopped: [305, 325],
    compared: oneQuietResume,
  },
  { name: 'SIGSTOP of 25 s', seconds: 600, stopped: [305, 330], compared: oneQuietResume },
  {
    name: 'wall clock set 1 h ahead while awake',
    seconds: 2 * HOUR,
    wall: (t) => t + (t >= 600 ? HOUR : 0),
    compared: oneResume,
    sleepless: healthy,
  },
  {
    name: 'wall clock set 1 h back while awake',
    seconds: 2 * HOUR,
    wall: (t) => t - (t >= 600 ? HOUR : 0),
    compared: healthy,
  },
  {
    name: 'wall clock set 1 h ahead, then back',
    seconds: 2 * HOUR,
    wall: (t) => t + (t >= 600 && t < 1_200 ? HOUR : 0),
    compared: oneResume,
    sleepless: healthy,
  },
  {
    name: 'sleep of 1 h, and the wall clock set back by as much at once',
    seconds: 2 * HOUR,
    mono: standsStill(1_805, 1_805 + HOUR),
    wall: (t) => t - (t > 1_805 ? HOUR : 0),
    stopped: [1_805, 1_805 + HOUR],
    // Two clocks that agree that nothing happened. Only a clock that goes on in sleep knows better.
    compared: { reconnects: 0, beyond: HOUR },
    sleepless: oneResume,
  },
  {
    name: 'client 200 ppm fast for 4 days',
    seconds: 4 * DAY,
    mono: drifting(200),
    wall: drifting(200),
    look: 2,
    compared: healthy,
  },
  {
    name: 'client 200 ppm slow for 4 days',
    seconds: 4 * DAY,
    mono: drifting(-200),
    wall: drifting(-200),
    look: 2,
    compared: healthy,
  },
  {
    name: 'monotonic clock 200 ppm slow, wall clock exact, for 4 days',
    seconds: 4 * DAY,
    mono: drifting(-200),
    look: 2,
    compared: healthy,
  },
  {
    name: 'wall clock slewed by ±500 ppm for 4 days',
    seconds: 4 * DAY,
    wall: (t) => t + 1.8 * Math.sin(t / HOUR),
    look: 2,
    compared: healthy,
  },
  {
    name: 'clocks rounded to 1 ms, asked at 60 Hz, 1 h',
    seconds: HOUR,
    wall: (t) => t + 0.00041,
    step: 0.001,
    look: 1 / 60,
    compared: healthy,
  },
  {
    name: 'clocks rounded to 100 ms, asked at 60 Hz, 1 h',
    seconds: HOUR,
    wall: (t) => t + 0.0431,
    step: 0.1,
    look: 1 / 60,
    compared: healthy,
  },
  {
    name: 'clock of a virtual machine set by ±30 ms each minute for a day',
    seconds: DAY,
    wall: (t) => t + (Math.floor(t / 60) % 2 === 1 ? 0.03 : 0),
    look: 1,
    compared: healthy,
  },
  {
    name: 'every message 12 s late from 300 s on',
    seconds: 1_200,
    delay: late(12, 300),
    compared: { reconnects: 72 },
  },
  {
    name: 'node halted for 20 s with its clock',
    seconds: HOUR,
    nodeClock: standsStill(605, 625),
    nodeStopped: [605, 625],
    compared: { reconnects: 1, missed: 0.2 },
  },
];

describe('promise 15: the age of a lease', () => {
  it('has all 22 cases', () => expect(cases).toHaveLength(22));

  it.each(cases)('$name: the wall clock compared', (scenario) => judge(scenario, 'compared'));

  it.each(cases)('$name: a clock that goes on in sleep', (scenario) => judge(scenario, 'sleepless'));
});

function judge(
  { compared, sleepless = compared, ...scenario }: Case,
  clocks: 'compared' | 'sleepless',
): void {
  const expected = clocks === 'compared' ? compared : sleepless;
  const { mono, stopped } = scenario;
  // Drift stays: only what stands still in sleep goes on instead.
  const slept = clocks === 'sleepless' && mono !== undefined && stopped !== undefined;
  const clock: Scenario = slept ? { ...scenario, mono: (t) => t } : scenario;
  const outcome = simulate(clock, clocks, mulberry(7));
  const { beyond = EXACT, missed = 0.1, reconnects } = expected;
  expect(outcome.beyond).toBeLessThanOrEqual(beyond);
  expect(outcome.overlapped).toBeLessThanOrEqual(beyond > MARGIN ? 0.2 : 0);
  expect(outcome.missed).toBeLessThanOrEqual(missed);
  expect(Math.abs(outcome.reconnects - reconnects)).toBeLessThanOrEqual(
    reconnects > 10 ? reconnects / 10 : 0,
  );
}

function jitter(random: () => number): () => number {
  return () => 0.02 + 0.08 * random() + (random() < 0.05 ? -0.15 * Math.log(1 - random()) : 0);
}

/** Numbers from 0 to 1, the same at every run. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
