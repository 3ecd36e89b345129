import { type Stage, setStage } from './demo-stage.js';
import { type Outcome, playStory, type Step } from './demo-step.js';
import { writeStory } from './demo-story.js';
import { CommandFailure, exitCodes } from './failure.js';

const colours = { bold: 1, dim: 2, red: 31, green: 32 } as const;

/** `soleseat demo`: the whole story on two nodes. Fails when a step is not as promised, saying which. */
export async function demo(options: { readonly json?: boolean }): Promise<void> {
  const startedMs = performance.now();
  const interrupted = interruption();
  const narrator = options.json ? new JsonNarrator() : new Narrator();
  narrator.open();
  const stage = await setStage();
  let broken: Awaited<ReturnType<typeof playStory>>;
  try {
    narrator.ready(stage, performance.now() - startedMs);
    broken = await Promise.race([interrupted, writeStory(stage).then((story) => playStory(story, narrator))]);
  } finally {
    await stage.stop();
  }
  if (broken !== null)
    throw new CommandFailure(
      `Step ${broken.number} (${broken.step.name}) was not as promised.`,
      exitCodes.failed,
    );
  narrator.close(performance.now() - startedMs);
}

/** Rejects at Ctrl+C. Everything started is stopped then as at any other end. */
function interruption(): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    const stop = () => reject(new CommandFailure('Interrupted.', exitCodes.interrupted));
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
  promise.catch(() => {});
  return promise;
}

class Narrator {
  readonly #isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR;

  open(): void {
    console.log(`\n${this.#paint('bold', 'Soleseat: one user, one live session.')}`);
    console.log('Ada has one license and three computers. Two broker nodes share one Redis.\n');
  }

  ready({ redisPort, nodes }: Stage, ms: number): void {
    const places = nodes.map(({ name, port }) => `node ${name} on ${port}`).join(', ');
    console.log(
      this.#paint('dim', `   Ready in ${(ms / 1000).toFixed(1)} s: Redis on ${redisPort}, ${places}.\n`),
    );
  }

  begin(step: Step, number: number): void {
    console.log(`${this.#paint('bold', `${number}  ${step.title}`)}\n   ${this.#paint('dim', step.telling)}`);
  }

  end(_step: Step, _number: number, { says, problems }: Outcome): void {
    const isOk = problems.length === 0;
    for (const line of isOk ? says : problems)
      console.log(`   ${isOk ? this.#paint('green', '✓') : this.#paint('red', '✗')} ${line}`);
    console.log();
  }

  close(ms: number): void {
    console.log(`${this.#paint('green', 'All as promised')}, in ${(ms / 1000).toFixed(1)} s.\n`);
  }

  #paint(colour: keyof typeof colours, text: string): string {
    return this.#isColoured ? `\x1b[${colours[colour]}m${text}\x1b[0m` : text;
  }
}

/** One object a step, and nothing else. */
class JsonNarrator {
  open(): void {}
  ready(): void {}
  begin(): void {}
  close(): void {}

  end({ name, title }: Step, number: number, { ms, facts, problems }: Outcome): void {
    const isOk = problems.length === 0;
    console.log(
      JSON.stringify({
        step: number,
        name,
        title,
        ok: isOk,
        ms: Math.round(ms * 10) / 10,
        facts,
        ...(!isOk && { problems }),
      }),
    );
  }
}
