/** What a step saw. */
export interface Outcome {
  readonly ms: number;
  /** For a person, one line each. */
  readonly says: readonly string[];
  readonly facts: object;
  /** What was not as promised; none when all is well. */
  readonly problems: readonly string[];
}

export interface Step {
  readonly name: string;
  readonly title: string;
  /** Who does what. */
  readonly telling: string;
  play(): Promise<Outcome>;
}

/** Plays step after step, up to the first that is not as promised. */
export async function playStory(
  steps: readonly Step[],
  listener: { begin(step: Step, number: number): void; end(step: Step, number: number, is: Outcome): void },
): Promise<{ readonly step: Step; readonly number: number } | null> {
  for (const [index, step] of steps.entries()) {
    const number = index + 1;
    listener.begin(step, number);
    const result = await step.play().catch((error: Error) => failed(error.message));
    listener.end(step, number, result);
    if (result.problems.length > 0) return { step, number };
  }
  return null;
}

const failed = (problem: string): Outcome => ({ ms: 0, says: [], facts: {}, problems: [problem] });
