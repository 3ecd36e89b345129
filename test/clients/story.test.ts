import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_PATIENCE_MS } from '../support/java-library.js';
import { casesOf } from '../support/scope.js';
import { type LibraryName, libraries } from './story/libraries.js';
import type { SeatCommand } from './story/seat-program.js';
import { Stage } from './story/stage.js';
import { type StepName, steps } from './story/steps.js';
import { begin, end, play } from './story/story.js';

const names = Object.keys(libraries) as LibraryName[];
/** What takes least time and tells most. All is played where all is tried. */
const short: readonly StepName[] = ['cut', 'stall', 'brokerKilled', 'programStopped', 'evicted', 'sleep'];

const chosenLibraries = casesOf(names, (name) => name === 'typescript');
const chosenSteps = casesOf(Object.keys(steps) as StepName[], (name) => short.includes(name));

/** Longer than what is waited for, which says what did not come. */
const PATIENCE_MS = 600_000;

/** One after another: each begins with what the one before has left. */
describe(`two brokers, and two machines of a user of each library (${chosenLibraries.join(', ')})`, () => {
  let stage: Stage;
  beforeAll(async () => {
    const programs: Record<string, SeatCommand> = {};
    for (const name of chosenLibraries) programs[name] = await libraries[name]();
    stage = await Stage.open(programs);
  }, BUILD_PATIENCE_MS);
  afterAll(() => stage?.close());

  /** A step that failed leaves a stage on which no other can be played. */
  let failed: string | null = null;
  const scene = (name: string, act: () => Promise<unknown>) =>
    it(
      name,
      async () => {
        if (failed !== null) throw new Error(`not played, as this failed: ${failed}`);
        failed = name;
        await act();
        failed = null;
      },
      PATIENCE_MS,
    );

  scene('the laptop takes over from the desk as it starts, and a person takes the seat back', () =>
    Promise.all(stage.casts.map((cast) => begin(stage, cast))),
  );
  for (const name of chosenSteps) scene(steps[name].name, () => play(stage, stage.casts, steps[name]));
  scene('the desk gives the seat back in the end, and nobody takes it', async () => {
    await Promise.all(stage.casts.map((cast) => end(stage, cast)));
    for (const { desk, laptop } of stage.casts)
      for (const { program } of [desk, laptop]) expect(program?.looks).toBeGreaterThan(100);
  });
});
