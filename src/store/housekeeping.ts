import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { FaultLog } from './fault-log.js';
import type { NodeReport, Nodes } from './nodes.js';
import type { Outages } from './outages.js';
import type { Sweeper } from './sweeper.js';
import type { Upgrade } from './upgrade.js';

export interface HousekeepingParts {
  readonly nodes: Nodes;
  readonly sweeper: Sweeper;
  readonly upgrade: Upgrade;
  readonly sweepEveryMs: number;
  /** How often the node does what need not be done every second. */
  readonly announceEveryMs: number;
  /** Null before the node has started. */
  readonly report: () => NodeReport | null;
  /** All orgs that were claimed for here. */
  readonly orgs: () => readonly string[];
  /** Redis has lost this node, and so perhaps its leases, without a connection having broken. */
  readonly onForgotten: () => void;
  /** Redis has an older copy of its data than this node has seen, by so many ms (promise 8). */
  readonly onWentBack: (lostMs: number) => void;
  /** Whether an operator wants this node empty: told with every heartbeat. */
  readonly onOrder: (isToDrain: boolean) => void;
  readonly outages: Outages;
  readonly faults: FaultLog;
  readonly clock: Clock;
  readonly log: Log;
}

/** Orgs named anew at a time: a failover may have lost that one exists. The same work for any number of them. */
const NAMED_AT_ONCE = 100;

/** What a node does in Redis for all nodes: it keeps its place in the directory, and sweeps. Failures wait for the
 * next time. */
export class Housekeeping {
  #timer: NodeJS.Timeout | null = null;
  #lastRoundMs = Number.NEGATIVE_INFINITY;
  /** Redis has lost data: all orgs that this node knows are to be looked at. */
  #mustAnnounce = false;
  #named = 0;

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
    const { nodes, upgrade, report, announceEveryMs, clock } = this.parts;
    const now = report();
    if (now === null) return;
    this.#attempt('heartbeat', () => this.#heartbeat(now));
    const isRoundDue = clock() - this.#lastRoundMs >= announceEveryMs;
    if (isRoundDue || upgrade.isUnderWay) this.#attempt('look for old nodes', () => upgrade.look());
    if (!isRoundDue) return;
    this.#lastRoundMs = clock();
    this.#attempt('naming of orgs', () => this.#nameSome());
    this.#attempt('clearing of the directory', () => nodes.forgetSilent());
  }

  async #heartbeat(now: NodeReport): Promise<void> {
    const heard = await this.#write(() => this.parts.nodes.beat(now));
    this.parts.onOrder(this.parts.nodes.isToDrain);
    if (heard !== 'first' && heard !== 'known') this.#noteLoss(heard);
    if (!this.#mustAnnounce) return;
    await this.parts.nodes.announce(this.parts.orgs());
    this.#mustAnnounce = false;
  }

  #noteLoss(heard: 'forgotten' | { readonly lostMs: number }): void {
    if (heard === 'forgotten') this.parts.log.warn('Redis has lost its data: putting the leases back');
    else this.parts.onWentBack(heard.lostMs);
    this.#mustAnnounce = true;
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

  async #nameSome(): Promise<void> {
    const orgs = this.parts.orgs();
    if (this.#named >= orgs.length) this.#named = 0;
    const some = orgs.slice(this.#named, this.#named + NAMED_AT_ONCE);
    this.#named += NAMED_AT_ONCE;
    await this.parts.nodes.enter(some);
  }

  #attempt(duty: string, work: () => Promise<unknown>): void {
    work().catch((error: unknown) => this.parts.faults.failed(duty, error));
  }
}
