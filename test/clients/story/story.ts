import { eventually } from '../../support/eventually.js';
import { type Cast, holderOf, refuseFindings, settled, takeOver, until } from './cast.js';
import type { Stage } from './stage.js';
import { deskReturns, type Step } from './steps.js';

/** The desk has the seat. The laptop waits with a conflict. */
export async function begin({ brokers }: Stage, cast: Cast): Promise<void> {
  const { desk, laptop } = cast;
  desk.start();
  await until(cast, 'the desk to get the seat', () => desk.holds);
  laptop.start();
  await until(cast, 'the laptop to take over as it starts', () => laptop.holds && !desk.holds);
  await takeOver(cast, desk);
  await until(cast, 'the laptop to be told', () => laptop.heard('evicted') > 0 && !laptop.holds);
  laptop.insist();
  await until(cast, 'a conflict at the laptop', () => laptop.heard('conflict') > 0);
  laptop.desist();
  await settled(cast, brokers);
}

/** Plays one step for these users side by side. In the end each of them has the seat at the desk again. */
export async function play(stage: Stage, casts: readonly Cast[], step: Step): Promise<void> {
  try {
    await step.run(stage, casts);
    for (const { desk } of casts) desk.mend();
    await Promise.all(
      casts.map(async (cast) => {
        await deskReturns(cast, step.deskReturns);
        cast.laptop.desist();
        await settled(cast, stage.brokers);
      }),
    );
  } finally {
    for (const { laptop } of casts) laptop.desist();
  }
}

/** The desk gives the seat back, and nobody takes it. Both programs end as they were told. */
export async function end({ brokers }: Stage, cast: Cast): Promise<void> {
  const { desk, laptop } = cast;
  desk.tell('release');
  const codes = [await desk.program?.ended()];
  for (const broker of brokers)
    await eventually('the seat to be free', async () => (await holderOf(cast, broker)) === null);
  laptop.tell('quit');
  codes.push(await laptop.program?.ended());
  if (codes.some((code) => code !== 0)) throw new Error(`${cast.user}: the programs ended with ${codes}`);
  refuseFindings(cast);
}
