import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { type Cause, type CauseKind, causeNamed, causeOf, detailOf } from './causes.js';

/** A cause that comes back within this time is not told again: two of them may take turns at every attempt. */
const TOLD_FOR_MS = 10_000;
/** For so long a cause that was seen stands, while attempts fail that say nothing but that the connection is closed. */
const KNOWN_FOR_MS = 15_000;

export interface StoreReason {
  readonly reason: string;
  readonly cause: CauseKind;
}

interface Outage {
  cause: Cause;
  seenAtMs: number;
  isTold: boolean;
}

/**
 * Why Redis is out of reach, for each connection: told in the log once for each cause, not for each attempt, and again
 * after it was well or another cause came between. `/readyz` and the alert have it from here.
 */
export class Outages {
  readonly #outages = new Map<string, Outage>();
  /** Place and cause → when it was last told. */
  readonly #told = new Map<string, number>();

  constructor(private readonly parts: { readonly log: Log; readonly clock: Clock }) {}

  /** An attempt has failed at a connection: of a role, or to one server of a cluster. */
  failed(place: string, error: unknown): void {
    const nowMs = this.parts.clock();
    const cause = causeOf(error) ?? causeNamed('lost');
    const before = this.#outages.get(place);
    const isVague = cause.kind === 'lost';
    // "Connection is closed" is what every command says while the connection is made anew: the cause is known better.
    if (isVague && before !== undefined && before.cause !== cause && nowMs - before.seenAtMs < KNOWN_FOR_MS)
      return;
    const isSame = before?.cause === cause;
    // A connection that breaks once and is there again a moment later is no outage.
    const isTold = (isSame && before.isTold) || !isVague || isSame;
    this.#outages.set(place, { cause, seenAtMs: nowMs, isTold });
    if (isTold && !(isSame && before.isTold)) this.#tell(place, cause, error, nowMs);
  }

  /** The connection does its work. */
  well(place: string): void {
    const before = this.#outages.get(place);
    if (before === undefined) return;
    this.#outages.delete(place);
    if (!before.isTold) return;
    for (const key of this.#told.keys()) if (key.startsWith(`${place} `)) this.#told.delete(key);
    this.parts.log.info({ place, cause: before.cause.kind }, 'Redis is well again');
  }

  /** A write has failed. Only what Redis itself refuses counts here; the connection tells of the rest. */
  refusedWrite(error: unknown): void {
    if (causeOf(error)?.refusesWrites) this.failed('writes', error);
  }

  wrote(): void {
    this.well('writes');
  }

  /** Why Redis could not be had so far, for a node that starts; null before the first attempt has failed. */
  firstReason(): StoreReason | null {
    const commands = this.#causeOfCommands();
    // Sentinels say more than the connection that they would lead to.
    const others = [...this.#outages.values()].map(({ cause }) => cause);
    const cause = others.find(({ kind }) => kind !== 'lost') ?? commands;
    return cause === null ? null : { reason: cause.says, cause: cause.kind };
  }

  /** Why no seat can be had from Redis, for `/readyz`; null where seats can be had. */
  reasonWith(isAnswering: boolean): StoreReason | null {
    const cause = isAnswering ? this.#causeAt('writes') : (this.#causeOfCommands() ?? causeNamed('lost'));
    // With its memory full Redis still lets sessions resume, and they must find their way here.
    if (cause === null || cause.kind === 'full') return null;
    return { reason: cause.says, cause: cause.kind };
  }

  /** Sets the gauge that the alerts name the cause by. */
  show(gauge: Metrics['redisDownCause']): void {
    gauge.reset();
    const commands = this.#causeOfCommands();
    if (commands !== null) gauge.set({ role: 'commands', cause: commands.kind }, 1);
    const inbox = this.#causeAt('inbox');
    if (inbox !== null) gauge.set({ role: 'inbox', cause: inbox.kind }, 1);
  }

  /** A connection that is left for what its server refuses is closed again and again: then that is the cause. */
  #causeOfCommands(): Cause | null {
    const [commands, writes] = [this.#causeAt('commands'), this.#causeAt('writes')];
    return commands === null || commands.kind === 'lost' ? (writes ?? commands) : commands;
  }

  #causeAt(place: string): Cause | null {
    return this.#outages.get(place)?.cause ?? null;
  }

  #tell(place: string, { kind, says, next }: Cause, error: unknown, nowMs: number): void {
    const key = `${place} ${kind}`;
    const toldAtMs = this.#told.get(key) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - toldAtMs < TOLD_FOR_MS) return;
    this.#told.set(key, nowMs);
    this.parts.log.warn({ place, cause: kind, reason: detailOf(error), next }, says);
  }
}
