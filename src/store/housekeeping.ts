import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { FaultLog } from './fault-log.js';
import type { Imports } from './imports.js';
import type { NodeReport, Nodes } from './nodes.js';
import type { Orgs } from './orgs.js';
import type { Outages } from './outages.js';
import type { Sweeper } from './sweeper.js';

export interface HousekeepingParts {
  readonly nodes: Nodes;
  readonly sweeper: Sweeper;
  readonly imports: Imports;
  readonly allOrgs: Orgs;
  readonly sweepEveryMs: number;
  /** How often this node's orgs are named anew: below the TTL, so that they are before a lease can run out. */
  readonly announceEveryMs: number;
  /** Null before the node has started. */
  readonly report: () => NodeReport | null;
  readonly orgs: () => readonly string[];
  /** Redis has lost this node, and so perhaps its leases, without a connection having broken. */
  readonly onForgotten: () => void;
  /** Redis has an older copy of its data than this node has seen, by so many ms (promise 8). */
  readonly onWentBack: (lostMs: number) => void;
  readonly outages: Outages;
  readonly faults: FaultLog;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a node does in Redis for all nodes: it keeps its place in the directory, and sweeps. Failures wait for the
 * next time. */
export class Housekeeping {
  #timer: NodeJS.Timeout | null = null;
  #announcedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: HousekeepingParts) {}

  start(): void {
    const { sweeper, sweepEveryMs } = this.parts;
    this.#timer = setInterval(() => this.#attempt('sweep', () => sweeper.sweep(sweepEveryMs)), sweepEveryMs);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** To be called about every second. */
  beat(): void {
    const { nodes, imports, allOrgs, report, orgs, announceEveryMs, clock } = this.parts;
    const now = report();
    if (now === null) return;
    this.#attempt('heartbeat', () => this.#heartbeat(now));
    if (clock() - this.#announcedMs < announceEveryMs) return;
    this.#announcedMs = clock();
    this.#attempt('announcement', () => nodes.announce(orgs()));
    this.#attempt('clearing of the directory', () => nodes.forgetSilent());
    this.#attempt('undoing of imports', async () => imports.undoDead(await allOrgs.names()));
  }

  async #heartbeat(now: NodeReport): Promise<void> {
    const heard = await this.#write(() => this.parts.nodes.beat(now));
    if (heard === 'first' || heard === 'known') return;
    if (heard === 'forgotten') this.parts.log.warn('Redis has lost its data: putting the leases back');
    else this.parts.onWentBack(heard.lostMs);
    this.#announcedMs = Number.NEGATIVE_INFINITY;
    this.parts.onForgotten();
  }

  /** No other write is tried so regularly: by this one the node knows whether Redis takes any. */
  async #write<T>(work: () => Promise<T>): Promise<T> {
    const { outages } = this.parts;
    try {
      const answer = await work();
      outages.wrote();
      return answer;
    } catch (error) {
      outages.refusedWrite(error);
      throw error;
    }
  }

  #attempt(duty: string, work: () => Promise<unknown>): void {
    work().catch((error: unknown) => this.parts.faults.failed(duty, error));
  }
}
