import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programOf } from '../kit/judge.js';
import { BrokenPromise } from './story/cast.js';
import { Stage } from './story/stage.js';
import { type StepName, steps } from './story/steps.js';
import { begin, play } from './story/story.js';

/** What `wrong-client.mjs` does wrong, the step that shows it, and what the judge says. */
const faults = [
  ['reconnects-with-takeover', 'cut', /takes the seat by a hello .*no person/],
  ['from-receipt', 'stall', /longer than its lease/],
  ['no-deadline', 'programStopped', /longer than its lease/],
  ['evicted-by-close', 'evicted', /counts on the seat \d+ ms after evicted/],
  ['final-ignored', 'refused', /after its final close 4501/],
  ['clock-stands', 'sleep', /longer than its lease/],
  ['wall-clock', 'wallClock', /longer than its lease/],
  // Last, as it is a fault for all.
  ['lenient', 'redisAway', /longer than its lease/],
] as const satisfies readonly (readonly [fault: string, step: StepName, finding: RegExp])[];

/** Longer than what is waited for, which says what did not come. */
const PATIENCE_MS = 600_000;
/** On a busy machine a wrong client may not look in the moment in which it is wrong. It is led through the step again then. */
const MOST_TIMES = 3;
/** Two programs each: more at a time make each other slow. */
const AT_A_TIME = 4;
const RIGHT = 'right';

describe('the judge of the story', () => {
  let stage: Stage;
  const found = new Map<string, string>();
  beforeAll(async () => {
    const programs = faults.map(
      ([fault]) => [fault, programOf('wrong-client.mjs', '--fault', fault)] as const,
    );
    stage = await Stage.open({ [RIGHT]: programOf('wrong-client.mjs'), ...Object.fromEntries(programs) });
    const rows = [[RIGHT, 'cut'] as const, ...faults.map(([fault, step]) => [fault, step] as const)];
    // A fault for all comes last, and alone.
    const [alone, together] = [
      rows.filter(([, step]) => step === 'redisAway'),
      rows.filter(([, step]) => step !== 'redisAway'),
    ];
    const rounds = [...inRoundsOf(AT_A_TIME, together), ...inRoundsOf(1, alone)];
    for (const round of rounds)
      await Promise.all(
        round.map(async ([fault, step]) => found.set(fault, await findingOf(stage, fault, step))),
      );
  }, PATIENCE_MS);
  afterAll(() => stage?.close());

  it.each(faults)('finds what a client does that is wrong by %s, in the step %s', (fault, _, finding) => {
    expect(found.get(fault)).toMatch(finding);
  });

  it('finds nothing where the same client makes no mistake', () => {
    expect(found.get(RIGHT)).toBe('nothing');
  });
});

/** Leads a client to a step and through it, and gives what the judge says of it meanwhile. */
async function findingOf(stage: Stage, fault: string, step: StepName): Promise<string> {
  const cast = stage.casts.find(({ user }) => user === fault);
  if (cast === undefined) throw new Error(`there is no ${fault}`);
  try {
    await begin(stage, cast);
    for (let time = 0; time < MOST_TIMES; time++) await play(stage, [cast], steps[step]);
    return 'nothing';
  } catch (error) {
    return error instanceof BrokenPromise ? error.message : `nothing, but ${error}`;
  } finally {
    for (const { program } of [cast.desk, cast.laptop]) await program?.kill();
  }
}

function inRoundsOf<T>(size: number, all: readonly T[]): T[][] {
  return all.length === 0 ? [] : [all.slice(0, size), ...inRoundsOf(size, all.slice(size))];
}
