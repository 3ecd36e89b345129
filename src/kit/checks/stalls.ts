import type { Check } from '../check.js';
import { Finding, NotRun } from '../finding.js';
import { newGrant } from '../grants.js';
import { SetClock } from '../set-clock.js';
import { expectThat, type Stage } from '../stage.js';

/** A night, so that whatever a lease gave is long over. */
const NIGHT_MS = 8 * 3_600_000;

async function sleeps(stage: Stage, clock: SetClock): Promise<void> {
  const link = await stage.connection('the first handshake');
  const grant = newGrant({ ttlMs: 30_000 });
  link.welcome(grant);
  await stage.holds(true);
  link.lease(grant);
  await stage.pass(1_200);
  stage.program.stop();
  // Written before the computer slept, and read after it.
  link.lease(grant);
  clock.sleep(NIGHT_MS);
  stage.program.goOn();
  await letsGo(stage, clock, 0);
  const next = await stage.connection('a handshake after a sleep', 1_000);
  expectThat(next.hello?.resume?.sessionId === grant.sessionId, 'its hello does not resume the session');
  const grants = stage.program.printed.filter(({ holds }) => holds).length;
  expectThat(grants === 1, 'it held the seat again by a lease from before the sleep');
  next.resume(grant);
  await stage.holds(true);
}

/** The program says that it no longer holds the seat. Where it does not, its clocks may never have been set. */
async function letsGo(stage: Stage, clock: SetClock, withinMs: number): Promise<void> {
  try {
    await stage.holds(false, withinMs);
  } catch (fault) {
    if (fault instanceof Finding && !clock.wasRead)
      throw new NotRun('the program reads its clocks past the library that sets them, as static programs do');
    throw fault;
  }
}

async function withSetClock(stage: Stage, act: (clock: SetClock) => Promise<void>): Promise<void> {
  const clock = await SetClock.make();
  try {
    stage.start(clock.environment);
    await act(clock);
  } finally {
    clock.end();
  }
}

/** What a client does after it stood still, or its clocks were set. */
export const stallChecks: readonly Check[] = [
  {
    id: 'stopped',
    title: 'counts on nothing after the process stood still, and resumes',
    why: 'leases lie unread meanwhile; counted from receipt they give a seat that another machine has',
    tags: ['lease-base', 'lease-passed'],
    async run(stage) {
      if (process.platform === 'win32') throw new NotRun('Windows has no SIGSTOP');
      const { link, grant } = await stage.seated(newGrant({ ttlMs: 3_000, renewEveryMs: 500 }));
      link.lease(grant);
      stage.program.stop();
      const beat = setInterval(() => link.ended === null && link.lease(grant), 500);
      // Shorter than silence, so that a timer for that does not hide what becomes of the unread leases.
      await stage.pass(1_000).finally(() => clearInterval(beat));
      await stage.pass(3_400);
      stage.program.goOn();
      await stage.holds(false);
      const next = await stage.connection('a handshake after the process went on', 1_000);
      expectThat(next.hello?.resume?.sessionId === grant.sessionId, 'its hello does not resume the session');
      const grants = stage.program.printed.filter(({ holds }) => holds).length;
      expectThat(grants === 1, 'it held the seat again by a lease that had lain unread');
      next.resume({ ...grant, ttlMs: 20_000 });
      await stage.holds(true);
    },
  },
  {
    id: 'sleep',
    title: 'counts on nothing after the computer slept, and resumes',
    why: 'many clocks stand still in sleep: by them the lease of yesterday evening still runs in the morning',
    tags: ['lease-clock', 'lease-passed'],
    run: (stage) => withSetClock(stage, (clock) => sleeps(stage, clock)),
  },
  {
    id: 'wall-set-back',
    title: 'lets go at the deadline although somebody set the wall clock back',
    why: 'by the wall clock a lease would run for an hour more at the end of summer time, or for as long as a person likes',
    tags: ['lease-no-wall'],
    run: (stage) =>
      withSetClock(stage, async (clock) => {
        const link = await stage.connection('the first handshake');
        link.welcome(newGrant({ ttlMs: 4_000 }));
        await stage.holds(true);
        clock.setWall(-3_600_000);
        await letsGo(stage, clock, 4_000);
      }),
  },
];
