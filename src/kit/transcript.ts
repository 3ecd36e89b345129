/** Who did it: the client on the wire, the script, or the program (what it prints, how it ends). */
export type Actor = 'client' | 'script' | 'program';

export interface Entry {
  readonly atMs: number;
  readonly actor: Actor;
  readonly text: string;
}

const LONGEST_TEXT = 300;

/** What happened during one check, in order. Whoever waits is woken by each entry. */
export class Transcript {
  readonly entries: Entry[] = [];
  private readonly startedMs = performance.now();
  private readonly listeners = new Set<() => void>();

  add(actor: Actor, text: string): void {
    this.entries.push({ atMs: performance.now() - this.startedMs, actor, text: shortened(text) });
    for (const listener of [...this.listeners]) listener();
  }

  /** Resolves when `probe` gives something else than null; after `withinMs` gives null. */
  until<T>(probe: () => T | null, withinMs: number): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.listeners.delete(look);
        act();
      };
      const look = () => {
        try {
          const found = probe();
          if (found !== null) settle(() => resolve(found));
        } catch (fault) {
          settle(() => reject(fault));
        }
      };
      const timer = setTimeout(() => settle(() => resolve(null)), withinMs);
      this.listeners.add(look);
      look();
    });
  }
}

/** Tokens are long and say nothing. */
function shortened(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
