import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../../support/admin.js';
import { tokenFor } from '../../support/node.js';
import { type Cast, holderOf, takeOver, until } from './cast.js';
import type { Stage } from './stage.js';
import { TTL_MS } from './stage.js';

/**
 * How the desk comes to have the seat again. `by itself`: its program comes back; on a machine that is busy for longer than a lease
 * the laptop may find the seat free first, and then a person takes over at the desk. `by a person`: its program may do nothing.
 */
type Ending = 'by itself' | 'by a person';

export interface Step {
  readonly name: string;
  readonly deskReturns: Ending;
  /** Lets the fault happen, until it has had its effect, and mends it. */
  readonly run: (stage: Stage, casts: readonly Cast[]) => Promise<void>;
}

const HOUR_MS = 3_600_000;
/** More than a third of a lease, beyond which a library takes another connection. */
const DELAY_EACH_WAY_MS = 2_000;
/** Less than that, also there and back. */
const LATE_MS = 600;
const REDIS_AWAY_MS = 4_000;

/** The laptop asks all the time from now on, and displaces nobody. */
const insist = ({ laptop }: Cast) => laptop.insist();
const laptopFindsSeat = (cast: Cast) => {
  insist(cast);
  return until(cast, 'the laptop to find the seat free', () => cast.laptop.holds);
};
const deskLetsGo = (cast: Cast) => until(cast, 'the desk to let go', () => !cast.desk.holds);

/** Runs it for each user at the same time, each to a machine's own link, process or clock. */
function forEach(act: (cast: Cast, stage: Stage) => Promise<void>): Step['run'] {
  return async (stage, casts) => {
    await Promise.all(casts.map((cast) => act(cast, stage)));
  };
}

/** The desk is welcomed anew. */
async function isWelcomed(cast: Cast, act: () => void | Promise<void>): Promise<void> {
  const before = cast.desk.heard('welcome');
  await act();
  await until(
    cast,
    'another welcome at the desk',
    () => cast.desk.heard('welcome') > before || cast.laptop.holds,
  );
}

/** All desks come back at the other broker. */
async function moveAway(casts: readonly Cast[], act: () => Promise<void>): Promise<void> {
  const before = casts.map(({ desk }) => desk.heard('welcome'));
  await act();
  await Promise.all(
    casts.map((cast, index) =>
      until(
        cast,
        'a welcome at the other broker',
        () => cast.desk.heard('welcome') > (before[index] ?? 0) || cast.laptop.holds,
      ),
    ),
  );
}

export const steps = {
  cut: {
    name: 'the connection of the desk is cut',
    deskReturns: 'by itself',
    run: forEach((cast) => isWelcomed(cast, () => cast.desk.relay.cut({ refuses: false }))),
  },
  delay: {
    name: 'everything is under way for longer than a third of a lease',
    deskReturns: 'by itself',
    run: forEach(async (cast) => {
      const { desk } = cast;
      const before = desk.hellos;
      desk.relay.delay(DELAY_EACH_WAY_MS);
      await until(cast, 'another connection of the desk', () => desk.hellos > before);
    }),
  },
  stall: {
    name: 'leases come late, then nothing until another machine has the seat, and then all of it',
    deskReturns: 'by a person',
    run: forEach(async (cast) => {
      const { desk, laptop } = cast;
      const before = desk.heard('lease');
      desk.relay.delay(LATE_MS);
      await until(cast, 'late leases', () => desk.heard('lease') > before + 2 || laptop.holds);
      desk.relay.hold('up', 'down');
      await laptopFindsSeat(cast);
    }),
  },
  brokerKilled: {
    name: 'kill -9 of the broker',
    deskReturns: 'by itself',
    run: async (stage, casts) => {
      const broker = stage.leaveHome();
      await moveAway(casts, () => broker.kill());
      await stage.startAgain(broker);
    },
  },
  brokerStopped: {
    name: 'the broker stands still (SIGSTOP) for longer than a lease',
    deskReturns: 'by itself',
    run: async (stage, casts) => {
      const broker = stage.leaveHome();
      casts.forEach(insist);
      await moveAway(casts, () => broker.freeze());
      await broker.thaw(TTL_MS + 500);
      stage.isBack(broker);
    },
  },
  brokerDrained: {
    name: 'the broker is drained (SIGTERM)',
    deskReturns: 'by itself',
    run: async (stage, casts) => {
      const broker = stage.leaveHome();
      await moveAway(casts, () => broker.stop());
      await stage.startAgain(broker);
    },
  },
  redisAway: {
    name: 'Redis is away for 4 s',
    deskReturns: 'by itself',
    run: async ({ redis }, casts) => {
      casts.forEach(insist);
      redis.kill('SIGKILL');
      await Promise.all([...casts.map(deskLetsGo), pause(REDIS_AWAY_MS)]);
      await redis.restart();
    },
  },
  programStopped: {
    name: 'the program stands still (SIGSTOP) until another machine has the seat',
    deskReturns: 'by a person',
    run: forEach(async (cast) => {
      await cast.desk.stop();
      await laptopFindsSeat(cast);
      cast.desk.goOn();
      await deskLetsGo(cast);
    }),
  },
  programKilled: {
    name: 'kill -9 of the program, and a person starts it again',
    deskReturns: 'by itself',
    run: forEach((cast) =>
      isWelcomed(cast, async () => {
        await cast.desk.program?.kill();
        insist(cast);
        cast.desk.start();
      }),
    ),
  },
  evicted: {
    name: 'an administrator evicts the session, and the close behind that is lost',
    deskReturns: 'by a person',
    run: forEach(async (cast, stage) => {
      cast.desk.loseBehind('evicted');
      const before = cast.desk.heard('evicted');
      await ask(stage.home, 'POST', `/v1/admin/orgs/acme/sessions/${cast.user}/evict`);
      await until(cast, 'evicted at the desk', () => cast.desk.heard('evicted') > before);
      await Promise.all([deskLetsGo(cast), laptopFindsSeat(cast)]);
    }),
  },
  refused: {
    name: 'the desk comes back with a token that is refused for good',
    deskReturns: 'by a person',
    run: forEach(async (cast, { home }) => {
      const { desk, tokens, user } = cast;
      tokens.token = () => `${tokenFor(user)}x`;
      const before = desk.heard('close');
      desk.relay.cut({ refuses: false });
      await until(cast, 'a final close at the desk', () => desk.heard('close') > before);
      await deskLetsGo(cast);
      await until(cast, 'the end of its lease', async () => (await holderOf(cast, home)) === null);
      tokens.token = () => tokenFor(user);
    }),
  },
  sleep: {
    name: 'the computer sleeps for an hour',
    deskReturns: 'by itself',
    run: forEach((cast) => isWelcomed(cast, () => cast.desk.sleep(HOUR_MS))),
  },
  wallClock: {
    name: 'the wall clock jumps an hour ahead and then two back, while nothing gets through',
    deskReturns: 'by a person',
    run: forEach(async (cast) => {
      const { desk, laptop, clock } = cast;
      clock.setWall(HOUR_MS);
      const before = desk.heard('lease');
      await until(cast, 'more leases', () => desk.heard('lease') > before + 1 || laptop.holds);
      clock.setWall(-HOUR_MS);
      desk.relay.cut({ refuses: true });
      await Promise.all([deskLetsGo(cast), laptopFindsSeat(cast)]);
      clock.setWall(0);
    }),
  },
} as const satisfies Readonly<Record<string, Step>>;

export type StepName = keyof typeof steps;

/** The desk has the seat again as the step says, and nobody has touched anything else. */
export async function deskReturns(cast: Cast, how: Ending): Promise<void> {
  const { desk, laptop } = cast;
  if (how === 'by itself')
    await until(cast, 'one of the two to have the seat', () => desk.holds || laptop.holds);
  laptop.desist();
  if (how === 'by a person' || !desk.holds) await takeOver(cast, desk);
}
