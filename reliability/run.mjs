import { setTimeout as pause } from 'node:timers/promises';
import { findRedis, provisionRedis } from '../dist/embedded/find-redis.js';
import { faults } from './faults.mjs';
import { People } from './people.mjs';
import { settableClock } from './settable-clock.mjs';
import { Stage } from './stage.mjs';

const PEOPLE = 60;
/** So many of them have a second machine that asks for the seat all the time. */
const RIVALS = 10;
const CALM_MS = 3000;
/** Above the TTL: what had not been confirmed would have run out by then. */
const SETTLED_MS = 7000;
const GIVEN_UP_MS = 60_000;

/** Lets each fault happen to processes of its own, and gives a row of figures for each. */
export async function* measureAll({ only, say }) {
  const binary = (await findRedis()) ?? (await provisionRedis({ onProgress: say })).path;
  for (const one of faults) {
    if (only === undefined || one.fault.includes(only)) yield await measure(one, binary);
  }
}

async function measure(one, binary) {
  const clock = one.needsClock ? settableClock() : undefined;
  if (clock === null) return [one.fault, one.promise, 'not measured: no C compiler here', '', '', ''];
  const stage = await Stage.build({ binary, redisEnv: clock?.env });
  stage.setClock = clock?.set;
  try {
    return await observe(one, stage);
  } finally {
    await stage.clear();
  }
}

async function observe({ fault, promise, begin, lastsMs = 0, end }, stage) {
  const people = await People.seat(stage, PEOPLE, RIVALS);
  try {
    await pause(CALM_MS);
    people.mark();
    const health = new Health(people, stage);
    const beganMs = performance.now();
    await begin(stage);
    await pause(lastsMs);
    await end?.(stage);
    const endedMs = performance.now();
    const isBack = await health.settled();
    const noticed = people.noticed();
    return [
      fault,
      promise,
      noticed === 0 ? 'by nobody' : `${seconds(health.noticedMs - beganMs)}, by ${noticed}`,
      isBack ? seconds(Math.max(0, health.unwellMs - (end ? endedMs : beganMs))) : 'not within a minute',
      String(people.lost()),
      String(people.doubles.size),
    ];
  } finally {
    await people.leave();
  }
}

/** Looks again and again whether every program counts on its seat, and Redis has the lease of each. */
class Health {
  noticedMs = Number.POSITIVE_INFINITY;
  /** When it was last found not to be so. */
  unwellMs = 0;
  #isWatching = true;

  constructor(people, stage) {
    this.people = people;
    this.stage = stage;
    void this.#watch();
  }

  /** Waits until all has been well for a TTL. */
  async settled() {
    const fromMs = performance.now();
    while (performance.now() - Math.max(this.unwellMs, fromMs) < SETTLED_MS) {
      if (performance.now() - fromMs > GIVEN_UP_MS) break;
      await pause(50);
    }
    this.#isWatching = false;
    return performance.now() - this.unwellMs >= SETTLED_MS;
  }

  async #watch() {
    while (this.#isWatching) {
      if (this.noticedMs === Number.POSITIVE_INFINITY && this.people.noticed() > 0)
        this.noticedMs = performance.now();
      if (!(await this.#isWell())) this.unwellMs = performance.now();
      await pause(20);
    }
  }

  async #isWell() {
    const isSeated = ({ client }) => client.state === 'active' && client.holdsLease();
    // Whose second machine was let in meanwhile has lost, and comes back by no means.
    const isGone = ({ client }) => ['evicted', 'denied', 'closed'].includes(client.state);
    const staying = this.people.people.filter((person) => !isGone(person));
    const keys = staying.map(({ user }) => `soleseat:{acme}:lease:${user}`);
    const leases = await this.stage.store.exists(...keys).catch(() => 0);
    return leases === keys.length && staying.every(isSeated);
  }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
