import type { Stage } from './stage.js';

/** One thing that a client must do, and the script that finds out. */
export interface Check {
  /** Short, in kebab-case; `--only` takes it. */
  readonly id: string;
  /** What a right client does, as a sentence. */
  readonly title: string;
  /** What happens to people where a client does not. */
  readonly why: string;
  /** The sentences of PROTOCOL.md that it stands on. */
  readonly tags: readonly string[];
  /** It waits for 10 s and more, so it is begun early. */
  readonly isLong?: true;
  /** Throws a Finding where the client is wrong, and NotRun where that cannot be told. */
  readonly run: (stage: Stage) => Promise<void>;
}
