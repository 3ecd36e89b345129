import { causeOf } from './causes.js';
import type { CutShort } from './cut-short.js';
import type { Directory } from './directory.js';
import { reachStore } from './errors.js';
import type { Imports } from './imports.js';
import type { IndexKeys, KeyNames } from './keys.js';
import type { LeaseConfig } from './lease-types.js';
import type { RedisConnection } from './redis.js';
import type { Scripts } from './scripts.js';
import type { SeatScripts } from './seat-scripts.js';

/** Users at a time: their scripts leave in one write. */
const BATCH = 200;
/** Orgs looked at side by side. */
const ORGS_AT_ONCE = 50;

export interface SweeperParts {
  readonly redis: RedisConnection;
  readonly scripts: Scripts;
  readonly seats: SeatScripts;
  readonly keys: KeyNames;
  readonly directory: Directory;
  readonly imports: Imports;
  readonly cutShort: CutShort;
  readonly config: Pick<
    LeaseConfig,
    'nodeId' | 'leaseTtlMs' | 'sessionsKeptMs' | 'actsKeptMs' | 'tokenLifeMs'
  >;
}

/**
 * What must happen though nobody asks for it: run-out leases, licenses whose time has come, imports that nobody goes on
 * with, time in use. The index of what is due tells which orgs: with nothing due, a sweep costs the same for any number
 * of orgs (lua/index.lua).
 *
 * Any number of nodes may sweep at once: what ends is counted by the one script that ends it. Turns are taken only to
 * save work.
 */
export class Sweeper {
  #isSweeping = false;

  constructor(private readonly parts: SweeperParts) {}

  /**
   * Does what is due in all orgs, unless another node has just done so. Gives the number of run-out sessions taken out of
   * the counts. Rejects with StoreUnavailable or StoreDefect.
   */
  async sweep(everyMs: number): Promise<number> {
    if (this.#isSweeping) return 0;
    this.#isSweeping = true;
    try {
      return await reachStore(async () => ((await this.#takeTurn(everyMs)) ? this.#sweepAll() : 0));
    } finally {
      this.#isSweeping = false;
    }
  }

  /** Does what is due in one org now, not only at the next sweep. What fails stays due. */
  async lookAt(org: string): Promise<void> {
    await reachStore(() => this.#look(org));
  }

  async #takeTurn(everyMs: number): Promise<boolean> {
    const { redis, keys, config } = this.parts;
    const turnMs = Math.max(1, Math.ceil(everyMs * 0.8));
    try {
      if ((await redis.set(keys.sweepTurn, config.nodeId, 'PX', turnMs, 'NX')) !== null) return true;
    } catch (error) {
      // With its memory full Redis sets no key; sweeping frees some, and is safe without a turn.
      if (causeOf(error)?.kind === 'full') return true;
      throw error;
    }
    // A turn may not outlast its time: after Redis's clock went back, it would for as long as it went back.
    return (await redis.pttl(keys.sweepTurn)) > turnMs;
  }

  async #sweepAll(): Promise<number> {
    const indexes = await this.parts.directory.indexes();
    // Where one master of a cluster is gone, the orgs of the others are swept all the same.
    return sumOf(await Promise.allSettled(indexes.map((index) => this.#sweepIndex(index))));
  }

  async #sweepIndex(index: IndexKeys): Promise<number> {
    const { scripts } = this.parts;
    const results: PromiseSettledResult<number>[] = [];
    for (;;) {
      const orgs = (await scripts.run('due', { index }, [ORGS_AT_ONCE])) as string[];
      const looks = await Promise.allSettled(orgs.map((org) => this.#look(org)));
      results.push(...looks);
      // One org that cannot be looked at keeps nobody from the others; it is due again in a moment.
      if (orgs.length < ORGS_AT_ONCE || looks.every(isRejected)) return sumOf(results);
    }
  }

  /** Does all that is due in the org: a crashed node may leave many sessions (promise 7). */
  async #look(org: string): Promise<number> {
    for (let total = 0; ; ) {
      const due = await this.#askWhatIsDue(org);
      const { runOut, ended, silent, refused, reminded, suspended } = due;
      if (Object.values(due).every((list) => list.length === 0)) return total;
      const expired = await countOf(ended, (user) => this.#expire(org, user));
      const undone = await countOf(silent, (id) => this.#undo(org, id));
      const told = await countOf(refused, (user) => this.#tellRefusals(org, user));
      const toldOf = await countOf(reminded, (user) => this.#remind(org, user));
      const evicted = await countOf(suspended, (user) => this.#endSuspended(org, user));
      const swept = await countOf(runOut, (user) => this.#sweepUser(org, user));
      total += swept;
      // What cannot be done now stays due.
      if (expired + undone + told + toldOf + evicted + swept === 0) return total;
    }
  }

  async #askWhatIsDue(org: string) {
    const { seats, config, cutShort } = this.parts;
    const { leaseTtlMs: staleMs, sessionsKeptMs, actsKeptMs, tokenLifeMs } = config;
    const order = { batch: BATCH, staleMs, sessionsKeptMs, actsKeptMs, tokenLifeMs };
    const reply = await seats.run('look', { org, user: '' }, order);
    const [runOut = [], ended = [], silent = [], refused = [], reminded = [], suspended = []] =
      reply as string[][];
    const keptMs = (reply as unknown[])[6];
    if (keptMs !== undefined) cutShort.found(org, Number(keptMs));
    return { runOut, ended, silent, refused, reminded, suspended };
  }

  async #expire(org: string, user: string): Promise<boolean> {
    const order = { actor: 'broker' };
    const { outcome } = await this.parts.seats.ask<{ outcome: string }>('expire', { org, user }, order);
    return outcome === 'done';
  }

  async #endSuspended(org: string, user: string): Promise<boolean> {
    const order = { reason: 'org_suspended', actor: 'broker' };
    const { outcome } = await this.parts.seats.ask<{ outcome: string }>('evict', { org, user }, order);
    return outcome === 'evicted';
  }

  async #tellRefusals(org: string, user: string): Promise<boolean> {
    return (await this.parts.seats.run('refusals', { org, user }, {})) === 1;
  }

  async #remind(org: string, user: string): Promise<boolean> {
    return (await this.parts.seats.run('remind', { org, user }, {})) === 1;
  }

  async #sweepUser(org: string, user: string): Promise<boolean> {
    return (await this.parts.seats.run('sweep', { org, user }, {})) === 1;
  }

  /** A large import takes a while to undo, and nothing else may wait for it. */
  async #undo(org: string, id: string): Promise<boolean> {
    const undo = await this.parts.imports.takeOver(org, id);
    // Where this node fails at it, the import falls silent again, and is due again.
    undo?.().catch(() => {});
    return undo !== null;
  }
}

async function countOf<T>(items: readonly T[], work: (item: T) => Promise<boolean>): Promise<number> {
  return (await Promise.all(items.map(work))).filter(Boolean).length;
}

function isRejected(result: PromiseSettledResult<unknown>): result is PromiseRejectedResult {
  return result.status === 'rejected';
}

/** The sum of what succeeded. Throws what failed first, if anything did. */
function sumOf(results: readonly PromiseSettledResult<number>[]): number {
  const failed = results.find(isRejected);
  if (failed !== undefined) throw failed.reason;
  return results.reduce((sum, result) => sum + (result.status === 'fulfilled' ? result.value : 0), 0);
}
