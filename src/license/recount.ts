import { activeByCounters, type Ledger, type Tally } from '../store/ledger.js';
import type { Actor, License } from '../store/license-types.js';
import type { Licenses } from '../store/licenses.js';

export interface Difference {
  readonly counter: string;
  readonly stored: number;
  readonly counted: number;
}

export interface RecountAnswer {
  /** Licenses looked at. */
  readonly licenses: number;
  readonly differences: readonly Difference[];
  readonly repaired: boolean;
}

/** The org changes faster than it can be counted: every attempt met a change. */
export class StillChanging extends Error {
  constructor() {
    super('the counters changed during every recount; try again when less is going on');
  }
}

const ATTEMPTS = 20;
const PAGE = 500;
/** Counted up by every change of a license. */
const VERSION = 'licenseChanges';

/**
 * Counts licenses anew from their records, and live sessions from the list of them, and compares with the counters
 * (promise 9). Where a license changes meanwhile, the count begins again. Sessions come and go as they like.
 * Rejects with StoreUnavailable or StillChanging.
 */
export async function recount(
  parts: { readonly licenses: Licenses; readonly ledger: Ledger },
  org: string,
  options: { readonly repairBy: Actor | null; readonly onProgress?: (licenses: number) => void },
): Promise<RecountAnswer> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await parts.ledger.tally(org);
    const byStatus = await countLicenses(parts.licenses, org, options.onProgress ?? (() => {}));
    const tally = await parts.ledger.tally(org);
    if (before.counters[VERSION] !== tally.counters[VERSION]) continue;
    const counted = {
      issued: byStatus.active + byStatus.suspended + byStatus.expired,
      suspended: byStatus.suspended,
      expired: byStatus.expired,
      active: tally.active,
    };
    const stored = { ...tally.counters, active: activeByCounters(tally.counters) };
    const differences = Object.entries(counted)
      .map(([counter, count]) => ({
        counter,
        stored: stored[counter as keyof typeof stored] ?? 0,
        counted: count,
      }))
      .filter((one) => one.stored !== one.counted);
    const answer = { licenses: counted.issued, differences };
    if (differences.length === 0 || options.repairBy === null) return { ...answer, repaired: false };
    const { was, set } = repairOf(tally, differences);
    if (await parts.ledger.repair(org, was, set, options.repairBy)) return { ...answer, repaired: true };
  }
  throw new StillChanging();
}

/** What to set, and what must not have changed. `active` has no counter: what its sum lacks goes to `ended:repaired`. */
function repairOf(tally: Tally, differences: readonly Difference[]) {
  const was: Record<string, number> = { [VERSION]: tally.counters[VERSION] ?? 0 };
  const set: Record<string, number> = {};
  for (const { counter, stored, counted } of differences) {
    if (counter === 'active') {
      const ended = tally.counters['ended:repaired'] ?? 0;
      set['ended:repaired'] = ended + stored - counted;
    } else {
      was[counter] = stored;
      set[counter] = counted;
    }
  }
  return { was, set };
}

async function countLicenses(
  licenses: Licenses,
  org: string,
  onProgress: (licenses: number) => void,
): Promise<Record<License['status'], number>> {
  const byStatus = { active: 0, suspended: 0, expired: 0, revoked: 0 };
  let done = 0;
  for (let cursor: string | null = null; ; ) {
    const page = await licenses.page(org, { revoked: false }, cursor, PAGE);
    for (const license of page.items) byStatus[license.status] += 1;
    done += page.items.length;
    onProgress(done);
    if (page.next === null) return byStatus;
    cursor = page.next;
  }
}
