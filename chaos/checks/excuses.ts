import type { FaultRecord, Grant, History } from '../history.js';
import { countedTtlMs, recoveryMs, timing } from '../timing.js';

/**
 * Why two programs of a user may believe in the seat at once for a while, from the shortest to the longest.
 * The newcomer never waits for the loser (promise 3), so there is an overlap for as long as the news takes.
 */
export const excuses = ['notice', 'notice lost', 'out of reach', 'data lost'] as const;
export type Excuse = (typeof excuses)[number];

export interface Allowance {
  readonly excuse: Excuse;
  readonly ms: number;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** For a round trip and a hop, on a machine that does other things too. */
export const NOTICE_MS = 500;
/** An append-only file that is synced every second may lack that much, and Redis may put the sync off once. */
const UNSYNCED_MS = 2500;

/** What may make Redis forget, and so may begin a reign. */
export const losesData: ReadonlySet<string> = new Set([
  'redis-kill',
  'redis-wipe',
  'failover',
  'failover-lossy',
  'failover-ahead',
  'failover-split',
  'machine-lost',
  'flushall',
]);
const harmless = new Set(['script-flush']);

/** Knows what was done to whom, and so how long a loser may have gone on believing. */
export class Excuses {
  readonly #losses: readonly Span[];
  readonly #hurts: readonly (Span & { readonly target: string; readonly losesNoticesOnly: boolean })[];

  constructor(private readonly history: Pick<History, 'asks' | 'faults' | 'silences' | 'slowness'>) {
    const faults = history.faults.filter(({ kind }) => !harmless.has(kind));
    this.#losses = faults.filter(({ kind }) => losesData.has(kind)).map(lossOf);
    this.#hurts = faults.map(({ kind, target, note, startMs, endMs }) => ({
      target,
      // After FLUSHALL a loser that is not put back yet is known to nobody who could send it a notice.
      losesNoticesOnly: kind === 'pubsub-lost' || kind === 'flushall' || note.includes('TYPE pubsub'),
      fromMs: startMs,
      toMs: endMs + (kind === 'flushall' ? timing.renewEveryMs + NOTICE_MS : recoveryMs),
    }));
  }

  /** How long the loser may go on believing from `fromMs` on, when the winner was asked for at `askedMs`. */
  allowance(loser: Grant, askedMs: number, span: Span): Allowance {
    const window = { fromMs: askedMs, toMs: span.toMs };
    const slackMs = NOTICE_MS + this.slownessMs(window, loser.node);
    const lost = this.#losses.filter((loss) => touches(loss, window));
    if (lost.length > 0) {
      // The winner may be forgotten and the loser put back, each until its own deadline.
      const sinceMs = Math.max(span.fromMs, ...lost.map((loss) => loss.toMs));
      return { excuse: 'data lost', ms: sinceMs - span.fromMs + 2 * countedTtlMs + slackMs };
    }
    const through = this.#nodesOf(loser, window);
    const hurts = this.#hurts.filter(
      (one) => (one.target === 'redis' || through.has(one.target)) && touches(one, window),
    );
    const isSilent = this.history.silences.some(
      ({ program, fromMs, toMs }) =>
        program === loser.program && touches({ fromMs, toMs: toMs + NOTICE_MS }, window),
    );
    if (isSilent || hurts.some((one) => !one.losesNoticesOnly))
      return { excuse: 'out of reach', ms: countedTtlMs + slackMs };
    if (hurts.length > 0) return { excuse: 'notice lost', ms: timing.renewEveryMs + slackMs };
    return { excuse: 'notice', ms: slackMs };
  }

  /** Through which nodes the loser may hear: the one that granted, and those that it asks again after a lost connection. */
  #nodesOf(loser: Grant, window: Span): ReadonlySet<string> {
    const asked = this.history.asks.filter(
      ({ program, askedMs, answeredMs }) =>
        program === loser.program &&
        touches({ fromMs: askedMs, toMs: answeredMs ?? Number.POSITIVE_INFINITY }, window),
    );
    return new Set([loser.node, ...asked.map(({ node }) => node)]);
  }

  /** Whether Redis may have forgotten between these times what it knew at the first. */
  mayHaveForgotten(window: Span): boolean {
    return this.#losses.some((loss) => touches(loss, window));
  }

  /** How long a node was stopped just before this moment: news that it wrote then is that much older. */
  stoppedMs(node: string, heardMs: number): number {
    return this.history.faults
      .filter(({ kind, target }) => kind === 'node-stop' && target === node)
      .filter(({ startMs, endMs }) => heardMs >= startMs && heardMs <= endMs + NOTICE_MS)
      .reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  }

  /** By how much this process, the node or Redis were slow to answer in that time. */
  slownessMs(window: Span, node: string): number {
    return this.history.slowness
      .filter(({ where }) => where === 'checker' || where === 'redis' || where === node)
      .filter(({ atMs, ms }) => touches({ fromMs: atMs - ms, toMs: atMs }, window))
      .reduce((sum, { ms }) => sum + ms, 0);
  }
}

function lossOf({ kind, startMs, endMs }: FaultRecord): Span {
  return { fromMs: startMs - (kind === 'redis-kill' ? UNSYNCED_MS : 0), toMs: endMs };
}

function touches(a: Span, b: Span): boolean {
  return a.fromMs <= b.toMs && a.toMs >= b.fromMs;
}
