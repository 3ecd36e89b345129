/** Lines of one kind of fault that are named; those beyond are counted. */
const LINES_NAMED = 100;
/** Kinds that are told apart; those beyond are told as one. */
const KINDS_NAMED = 100;
const OTHER_KIND = 'something else is wrong';

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
  #count = 0;

  add(line: number, problem: string): void {
    this.#addTo(problem, 1, [line]);
  }

  /** Adds those of somebody else, who has read the same file. */
  addAll(faults: readonly Fault[]): void {
    for (const { problem, count, lines } of faults) this.#addTo(problem, count, lines);
  }

  get count(): number {
    return this.#count;
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

  #addTo(problem: string, count: number, lines: readonly number[]): void {
    const isNamed = this.#kinds.has(problem) || this.#kinds.size < KINDS_NAMED;
    const name = isNamed ? problem : OTHER_KIND;
    const kind = this.#kinds.get(name) ?? { count: 0, lines: [] };
    this.#kinds.set(name, kind);
    this.#count += count;
    kind.count += count;
    kind.lines.push(...lines.slice(0, LINES_NAMED - kind.lines.length));
  }
}
