import type { IndexKeys } from '../store/keys.js';
import { type Posted, type Progress, type Waiting, wants } from '../store/outbox.js';
import type { Webhook } from '../store/webhooks.js';
import { freshItem, type Item, waitingItem } from './item.js';
import type { LaneParts, ToNote } from './lane-types.js';
import { isBefore, placeBefore } from './places.js';
import type { SendOutcome } from './sender.js';

const AT_ONCE = 32;
const BODIES_HELD = 2_000;
const CLOCK_MARGIN_MS = 2_000;
/** After so many failures in a row a receiver is tried now and then, with one event. */
const FAILURES_IN_A_ROW = 10;
const PROBE_FIRST_MS = 1_000;
const PROBE_MOST_MS = 60_000;

/**
 * The way of events to one webhook: one after another for each user, side by side for different users. While an event of a
 * user is tried again the later ones of this user wait.
 */
export class Lane {
  /** What is not delivered yet, in the order of the outbox. */
  #open = new Map<string, Item>();
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
  /** What is open may not be in the order of the outbox any more. */
  #isRewound = false;
  /** The newest place that it has seen in the outbox. */
  #seen: string;
  /** What Redis has as `after`; null: nothing yet. */
  #keptAfter: string | null;

  constructor(
    readonly index: IndexKeys,
    private webhook: Webhook,
    private readonly parts: LaneParts,
    /** When the webhook was like this (Unix ms by Redis's clock, about). */
    private asOfMs: number,
    progress: Progress | null,
  ) {
    // What was posted before it was registered is not for it.
    this.#read = progress?.after ?? `${Math.max(0, webhook.createdAtMs - 1)}-0`;
    this.#seen = progress?.after ?? '0-0';
    this.#keptAfter = progress?.after ?? null;
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
    this.#restoreOrder();
    const [first] = this.#open.keys();
    if (first === undefined) return this.#read;
    return isBefore(this.#read, first) ? this.#read : first;
  }

  /** What Redis is thought to know. */
  get keptAfter(): string | null {
    return this.#keptAfter;
  }

  /** False while too much waits: a resumed webhook sends its backlog before it reads on. */
  get isReading(): boolean {
    return this.isParked || this.#open.size <= this.parts.waitingAtMost;
  }

  get isParked(): boolean {
    return this.webhook.state === 'parked';
  }

  update(webhook: Webhook, asOfMs: number): void {
    this.asOfMs = asOfMs;
    const wasActive = this.webhook.state === 'active';
    this.webhook = webhook;
    if (webhook.state === 'active' && !wasActive) this.#quietUntilMs = 0;
    this.#pump();
  }

  /** Takes from what was read behind `read` whatever the webhook wants. A parked one hears of nothing new. */
  offer(posted: readonly Posted[]): void {
    const before = this.#open.size;
    const { isParked } = this;
    for (const one of posted) {
      // Somebody may have resumed it since it was looked at.
      if (isParked && Number(one.place.split('-')[0]) >= this.asOfMs - CLOCK_MARGIN_MS) break;
      this.#read = one.place;
      if (isBefore(this.#seen, one.place)) this.#seen = one.place;
      const remembered = this.#remembered.get(one.place);
      this.#remembered.delete(one.place);
      if (this.#open.has(one.place)) continue;
      const isNews = one.only === null && remembered === undefined;
      if (!wants(this.webhook, one) || (isNews && isParked)) {
        if (remembered !== undefined) this.#settled.push(one.place);
        continue;
      }
      const item = remembered ?? freshItem(one);
      if (this.#open.size < BODIES_HELD) item.posted = one;
      this.#take(item);
    }
    const isOver = this.#open.size > before && this.#open.size > this.parts.waitingAtMost;
    if (isOver && !isParked) this.parts.parkWebhook('too_many_waiting', this.#open.size);
    this.#pump();
  }

  /** The newest place of the outbox is this: where more was seen, Redis has lost it, and may write new events below it. */
  compare(newest: string): void {
    if (!isBefore(newest, this.#seen)) return;
    this.#read = '0-0';
    this.#seen = newest;
    this.#isRewound = true;
    this.forgetWhatIsKept();
  }

  /** Redis has gone back: it may not know any more what was noted. */
  forgetWhatIsKept(): void {
    this.#keptAfter = null;
    for (const item of this.#open.values()) if (item.isKept) item.isChanged = true;
  }

  /** What is to be noted by now; null: nothing has changed. */
  progress(): ToNote | null {
    this.#restoreOrder();
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
    // It is written with the next `after`, or taken back.
    const failed = () => {
      for (const item of items) item.isChanged = true;
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

  #restoreOrder(): void {
    if (!this.#isRewound) return;
    const inOrder = [...this.#open].sort(([one], [other]) => (isBefore(one, other) ? -1 : 1));
    this.#open = new Map(inOrder);
    const last = inOrder.at(-1)?.[0];
    this.#isRewound = last !== undefined && isBefore(this.#read, last);
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
    else this.#later(inMs, () => this.#ready.push(queue));
  }

  #later(inMs: number, act: () => unknown): void {
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
      if (posted === null) {
        this.parts.onAttempt('lost');
        return this.#settle(queue, item);
      }
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
