/** Lines of one kind of fault that are named; those beyond are counted. */
const LINES_NAMED = 100;

/** One kind of fault in a file. */
export interface Fault {
  readonly problem: string;
  /** How many lines have it. */
  readonly count: number;
  /** The first of them. */
  readonly lines: readonly number[];
}

/** Faults by kind, each told once: a file of a million bad lines takes no more room than one of a hundred. */
export class Faults {
  readonly #kinds = new Map<string, { count: number; lines: number[] }>();

  add(line: number, problem: string): void {
    const kind = this.#kinds.get(problem) ?? { count: 0, lines: [] };
    this.#kinds.set(problem, kind);
    kind.count++;
    if (kind.lines.length < LINES_NAMED) kind.lines.push(line);
  }

  get count(): number {
    return this.all.reduce((sum, { count }) => sum + count, 0);
  }

  /** In the order of their first lines. */
  get all(): readonly Fault[] {
    return [...this.#kinds]
      .map(([problem, kind]) => ({ problem, ...kind }))
      .sort((a, b) => (a.lines[0] ?? 0) - (b.lines[0] ?? 0));
  }

  /** Line by line, as far as they are named. */
  get byLine(): readonly { readonly line: number; readonly problem: string }[] {
    return this.all
      .flatMap(({ problem, lines }) => lines.map((line) => ({ line, problem })))
      .sort((a, b) => a.line - b.line);
  }
}
