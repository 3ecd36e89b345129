import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Actor } from './license-types.js';
import { readReply } from './replies.js';
import type { Scripts } from './scripts.js';

/** The counters of an org and the sizes of what they count, all at one moment. */
export interface Tally {
  /** Unix ms by Redis's clock. */
  readonly nowMs: number;
  readonly active: number;
  readonly licensed: number;
  readonly revoked: number;
  readonly quota: number | null;
  /** Places in the quota that tickets keep. */
  readonly kept: number;
  readonly counters: Readonly<Record<string, number>>;
}

export interface LedgerParts {
  readonly scripts: Scripts;
  readonly keys: KeyNames;
}

/** The counters, read whole and repaired. Rejects with StoreUnavailable or StoreDefect. */
export class Ledger {
  constructor(private readonly parts: LedgerParts) {}

  async tally(org: string): Promise<Tally> {
    const { scripts } = this.parts;
    const reply = readReply<{
      readonly now: string;
      readonly active: number;
      readonly licensed: number;
      readonly revoked: number;
      readonly quota?: string;
      readonly kept: number;
      readonly counters: Readonly<Record<string, string>>;
    }>(await reachStore(() => scripts.run('tally', { org }, [])));
    return {
      nowMs: Number(reply.now),
      active: reply.active,
      licensed: reply.licensed,
      revoked: reply.revoked,
      quota: reply.quota === undefined ? null : Number(reply.quota),
      kept: reply.kept,
      counters: Object.fromEntries(
        Object.entries(reply.counters).map(([name, text]) => [name, Number(text)]),
      ),
    };
  }

  /** Sets counters, where those named in `was` still stand as they did. False: something has changed. */
  async repair(
    org: string,
    was: Readonly<Record<string, number>>,
    set: Readonly<Record<string, number>>,
    actor: Actor,
  ): Promise<boolean> {
    const { scripts } = this.parts;
    const texts = (numbers: Readonly<Record<string, number>>) =>
      Object.fromEntries(Object.entries(numbers).map(([name, count]) => [name, String(count)]));
    const order = { org, was: texts(was), set: texts(set), actor };
    return (await reachStore(() => scripts.run('repair', { org }, [JSON.stringify(order)]))) === 1;
  }
}

/** Sessions begun less sessions ended: what must be active (promise 9). */
export function activeByCounters(counters: Readonly<Record<string, number>>): number {
  const ended = Object.entries(counters).filter(([name]) => name.startsWith('ended:'));
  const begun = (counters.granted ?? 0) + (counters.reasserted ?? 0);
  return begun - ended.reduce((sum, [, count]) => sum + count, 0);
}
