import type { IndexKeys } from '../store/keys.js';
import { type Posted, type Progress, type Waiting, wants } from '../store/outbox.js';
import type { Webhook } from '../store/webhooks.js';
import { freshItem, type Item, waitingItem } from './item.js';
import { isBefore, placeBefore } from './places.js';
import type { SendOutcome } from './sender.js';

/** When a failed delivery is tried again, and when no more. */
export interface Patience {
  readonly firstMs: number;
  readonly mostMs: number;
  /** After this time from when it was posted an event is put aside. */
  readonly giveUpMs: number;
}

export interface LaneParts {
  /** Posts one event. Never rejects. */
  readonly send: (webhook: Webhook, posted: Posted) => Promise<SendOutcome>;
  /** The event at a place; null where it is there no more. */
  readonly fetch: (place: string) => Promise<Posted | null>;
  readonly putAside: (posted: Posted, why: Pick<Waiting, 'attempts' | 'error'>) => Promise<void>;
  readonly parkWebhook: (reason: 'too_many_waiting' | 'gone', waiting: number) => void;
  /** Whether it is this node’s turn. */
  readonly mayDeliver: () => boolean;
  readonly onAttempt: (outcome: 'delivered' | 'failed' | 'parked') => void;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly patience: Patience;
  readonly waitingAtMost: number;
}

/** What Redis is to know of a lane, and what to call once it does, or does not. */
export interface ToNote extends Progress {
  readonly settled: readonly string[];
  readonly done: () => void;
  readonly failed: () => void;
}

const AT_ONCE = 32;
const BODIES_HELD = 2_000;
export const WAITING_AT_MOST = 100_000;
/** After so many failures in a row the receiver is taken for down: it is tried now and then, with one event. */
const FAILURES_IN_A_ROW = 10;
const PROBE_FIRST_MS = 1_000;
const PROBE_MOST_MS = 60_000;

/**
 * The way of events to one webhook: one after another for each user, side by side for different users. While an event of a
 * user is tried again the later ones of this user wait.
 */
export class Lane {
  /** What is not delivered yet, in the order of the outbox. */
  readonly #open = new Map<string, Item>();
  /** What Redis knows to wait behind `read`: it is taken when it is read, so that the order stays that of the outbox. */
  readonly #remembered = new Map<string, Item>();
  readonly #queues = new Map<string, Item[]>();
  #ready: Item[][] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #settled: string[] = [];
  #read: string;
  readonly #underWay = new Set<Promise<void>>();
  #failures = 0;
  #quietUntilMs = 0;
  #isStopped = false;
  /** What is open is not in the order of the outbox any more. */
  #isRewound = false;
  #keptAfter = '';

  constructor(
    readonly index: IndexKeys,
    private webhook: Webhook,
    private readonly parts: LaneParts,
    progress: Progress | null,
  ) {
    // What was posted before it was registered is not for it.
    this.#read = progress?.after ?? `${Math.max(0, webhook.createdAtMs - 1)}-0`;
    for (const [place, waiting] of progress?.waiting ?? []) {
      const item = waitingItem(place, waiting);
      if (isBefore(this.#read, place)) this.#remembered.set(place, item);
      else this.#take(item);
    }
  }

  /** The place up to which it has read. */
  get read(): string {
    return this.#read;
  }

  get waiting(): number {
    return this.#open.size;
  }

  /** The oldest place of the outbox that is still needed. */
  get needs(): string {
    const [first] = this.#open.keys();
    if (first === undefined) this.#isRewound = false;
    return this.#isRewound ? '0-0' : (first ?? this.#read);
  }

  /** A parked webhook hears of nothing new. */
  get isReading(): boolean {
    return this.webhook.state !== 'parked';
  }

  update(webhook: Webhook): void {
    const wasActive = this.webhook.state === 'active';
    this.webhook = webhook;
    if (webhook.state === 'active' && !wasActive) this.#quietUntilMs = 0;
    this.#pump();
  }

  /** Takes from what was read behind `read` whatever the webhook wants. */
  offer(posted: readonly Posted[]): void {
    for (const one of posted) {
      this.#read = one.place;
      if (this.#open.has(one.place) || !wants(this.webhook, one)) continue;
      const item = this.#remembered.get(one.place) ?? freshItem(one);
      this.#remembered.delete(one.place);
      if (this.#open.size < BODIES_HELD) item.posted = one;
      this.#take(item);
    }
    if (this.#open.size > this.parts.waitingAtMost && this.webhook.state !== 'parked') {
      this.parts.parkWebhook('too_many_waiting', this.#open.size);
    }
    this.#pump();
  }

  /** Redis has lost what was read, and may write new events below it: reads from the beginning again. */
  rewind(): void {
    this.#read = '0-0';
    this.#isRewound = true;
  }

  /** What is to be noted by now; null: nothing has changed. */
  progress(): ToNote | null {
    const waiting = new Map<string, Waiting>();
    const items: Item[] = [];
    let after = this.#read;
    for (const item of this.#open.values()) {
      const isBlocked = (this.#queues.get(item.key)?.[0]?.attempts ?? 0) > 0;
      if (!item.isKept && !isBlocked) {
        after = placeBefore(item.place);
        break;
      }
      if (item.isKept && !item.isChanged) continue;
      const { key, attempts, nextMs, error } = item;
      waiting.set(item.place, { key, attempts, nextMs, error });
      items.push(item);
    }
    const settled = [...this.#settled];
    if (waiting.size === 0 && settled.length === 0 && after === this.#keptAfter) return null;
    // From here on: what is delivered while it is being noted is to be taken back, and what changes is noted again.
    for (const item of items) {
      item.isKept = true;
      item.isChanged = false;
    }
    const done = () => {
      this.#settled.splice(0, settled.length);
      this.#keptAfter = after;
    };
    const failed = () => {
      for (const item of items) item.isKept = false;
    };
    return { after, waiting, settled, done, failed };
  }

  /** Begins nothing more. Resolves once what is under way has an outcome. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#underWay);
  }

  #take(item: Item): void {
    this.#open.set(item.place, item);
    const queue = this.#queues.get(item.key);
    if (queue !== undefined) {
      queue.push(item);
      return;
    }
    const begun = [item];
    this.#queues.set(item.key, begun);
    this.#whenDue(begun, item.nextMs - this.parts.nowMs());
  }

  #whenDue(queue: Item[], inMs: number): void {
    if (inMs <= 0) this.#ready.push(queue);
    else
      this.#later(inMs, () => {
        this.#ready.push(queue);
      });
  }

  #later(inMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
      this.#pump();
    }, inMs);
    timer.unref();
    this.#timers.add(timer);
  }

  #pump(): void {
    const { mayDeliver, nowMs } = this.parts;
    const most = this.#failures >= FAILURES_IN_A_ROW ? 1 : AT_ONCE;
    while (this.#underWay.size < most && this.#ready.length > 0) {
      if (this.#isStopped || this.webhook.state !== 'active' || !mayDeliver()) return;
      if (nowMs() < this.#quietUntilMs) return;
      const queue = this.#ready.shift();
      if (queue === undefined) continue;
      const delivery = this.#deliver(queue).finally(() => {
        this.#underWay.delete(delivery);
        this.#pump();
      });
      this.#underWay.add(delivery);
    }
  }

  async #deliver(queue: Item[]): Promise<void> {
    const [item] = queue;
    if (item === undefined) return;
    try {
      const posted = item.posted ?? (await this.parts.fetch(item.place));
      if (posted === null) return this.#settle(queue, item);
      const outcome = await this.parts.send(this.webhook, posted);
      if (outcome.outcome === 'delivered') {
        this.#failures = 0;
        this.parts.onAttempt('delivered');
        return this.#settle(queue, item);
      }
      await this.#failed(queue, item, posted, outcome);
    } catch {
      // Redis is out of reach: it is tried again soon, and nothing is lost.
      this.#later(1_000, () => this.#ready.push(queue));
    }
  }

  async #failed(
    queue: Item[],
    item: Item,
    posted: Posted,
    { error, retryAfterMs, isGone }: Extract<SendOutcome, { outcome: 'failed' }>,
  ): Promise<void> {
    const { patience, nowMs, random, putAside, parkWebhook, onAttempt } = this.parts;
    item.attempts += 1;
    item.error = error;
    this.#calmDown();
    if (isGone && this.webhook.state !== 'parked') parkWebhook('gone', this.#open.size);
    if (nowMs() - Number(item.place.split('-')[0]) > patience.giveUpMs) {
      await putAside(posted, item);
      onAttempt('parked');
      return this.#settle(queue, item);
    }
    onAttempt('failed');
    const backoffMs = Math.min(patience.firstMs * 3 ** (item.attempts - 1), patience.mostMs);
    const inMs = Math.max(backoffMs * (0.8 + 0.4 * random()), retryAfterMs ?? 0);
    item.nextMs = Math.round(nowMs() + inMs);
    item.isChanged = true;
    // Fetched again when its time comes.
    item.posted = null;
    this.#whenDue(queue, inMs);
  }

  /** A receiver that is down is not asked by every event that waits for it. */
  #calmDown(): void {
    this.#failures += 1;
    const beyond = this.#failures - FAILURES_IN_A_ROW;
    if (beyond < 0) return;
    const quietMs = Math.min(PROBE_FIRST_MS * 2 ** Math.min(beyond, 10), PROBE_MOST_MS);
    this.#quietUntilMs = this.parts.nowMs() + quietMs;
    this.#later(quietMs, () => {});
  }

  #settle(queue: Item[], item: Item): void {
    queue.shift();
    this.#open.delete(item.place);
    if (item.isKept) this.#settled.push(item.place);
    if (queue.length > 0) this.#ready.push(queue);
    else this.#queues.delete(item.key);
  }
}
