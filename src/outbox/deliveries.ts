import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { StoreUnavailable } from '../store/errors.js';
import type { IndexKeys } from '../store/keys.js';
import type { Outbox, Posted, Waiting } from '../store/outbox.js';
import { forEach, type Webhook, type Webhooks } from '../store/webhooks.js';
import { byIndex } from './by-index.js';
import { Lane } from './lane.js';
import { type LaneParts, type Patience, WAITING_AT_MOST } from './lane-types.js';
import { messageOf, testMessage } from './message.js';
import { isBefore } from './places.js';
import type { Sender, SendOutcome } from './sender.js';

export interface DeliveriesParts {
  readonly webhooks: Webhooks;
  readonly outbox: Outbox;
  readonly sender: Sender;
  readonly nodeId: string;
  /** Redis's time in Unix ms, as this node knows it. */
  readonly nowMs: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly patience?: Patience;
  /** More than so many waiting events park a webhook. */
  readonly waitingAtMost?: number;
}

const dayLong: Patience = { firstMs: 5_000, mostMs: 3_600_000, giveUpMs: 86_400_000 };
const ROUND_MS = 250;
const BATCH = 500;
const TURN_MS = 10_000;
/** A turn counts as over this long before it is in Redis (promise 6). */
const TURN_MARGIN_MS = 2_000;
const TURN_ASKED_EVERY_MS = 3_000;
const CONFIG_EVERY_MS = 1_000;
const TRIM_EVERY_MS = 5_000;
/** When the node stops it waits so long for receivers that have not answered yet. */
const LAST_ANSWERS_MS = 1_000;

/**
 * Delivers events to webhooks, at least once and in order for each user. One node at a time has the turn; when it dies
 * another one goes on from what Redis knows, and may send again what was sent in the last seconds.
 */
export class Deliveries {
  /** By webhook and index. */
  readonly #lanes = new Map<string, Lane>();
  #turnUntilMs = 0;
  #isStopped = false;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #due = { config: 0, trim: 0 };
  #wanted = '';
  /** Webhooks that are being parked. */
  readonly #parking = new Set<string>();
  #turnTimer: NodeJS.Timeout | null = null;

  constructor(private readonly parts: DeliveriesParts) {}

  start(): void {
    // By a timer of its own: a round over many slots may take longer than a turn.
    const ask = () => void this.#askForTurn().catch(() => {});
    ask();
    this.#turnTimer = setInterval(ask, TURN_ASKED_EVERY_MS);
    this.#again(0);
  }

  /** Ends the turn, with all noted that is known. What is under way may come once more from another node. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#turnTimer !== null) clearInterval(this.#turnTimer);
    const ended = Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
    await this.#round;
    // What has no outcome by then comes once more from another node.
    await Promise.race([ended, sleep(LAST_ANSWERS_MS, null, { ref: false })]);
    try {
      if (this.#hasTurn) {
        await this.#note();
        await this.parts.outbox.takeTurn(this.parts.nodeId, 1);
      }
    } catch {
      // The turn ends by itself.
    } finally {
      this.parts.sender.close();
    }
  }

  /** Sends one message at once, to see whether it arrives. Never rejects. */
  tryOut(webhook: Webhook): Promise<SendOutcome> {
    const { sender, nowMs } = this.parts;
    return sender.send(webhook, testMessage(webhook, Math.round(nowMs())));
  }

  get #hasTurn(): boolean {
    return this.parts.clock() < this.#turnUntilMs;
  }

  #again(inMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#go().then(
        (isMore) => this.#again(isMore ? 0 : ROUND_MS),
        (error) => {
          // While Redis is away, others tell of it.
          if (!(error instanceof StoreUnavailable))
            this.parts.log.error({ reason: String(error) }, 'webhooks failed');
          this.#again(ROUND_MS);
        },
      );
    }, inMs);
  }

  /** Gives whether there is more to read at once. */
  async #go(): Promise<boolean> {
    const atMs = this.parts.clock();
    if (!this.#hasTurn) {
      this.#dropLanes();
      return false;
    }
    const { webhooks } = this.parts;
    let isMore = false;
    // What fails keeps the rest from nothing: at maxmemory nothing can be noted, and trimming frees memory.
    const steps: (() => Promise<void>)[] = [];
    if (atMs >= this.#due.config) {
      this.#due.config = atMs + CONFIG_EVERY_MS;
      steps.push(
        () => this.#configure(),
        () => this.#note(),
      );
    }
    steps.push(async () => {
      isMore = await this.#read();
    });
    if (atMs >= this.#due.trim) {
      this.#due.trim = atMs + TRIM_EVERY_MS;
      // Redis may have forgotten, or somebody have told an older list.
      this.#wanted = '';
      steps.push(async () => this.#trim(await webhooks.indexes()));
    }
    const failed: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => failed.push(error));
    if (failed.length > 0) throw failed[0];
    return isMore;
  }

  async #askForTurn(): Promise<void> {
    const { outbox, nodeId, clock } = this.parts;
    const atMs = clock();
    const isOurs = await outbox.takeTurn(nodeId, TURN_MS);
    this.#turnUntilMs = isOurs ? atMs + TURN_MS - TURN_MARGIN_MS : 0;
  }

  async #configure(): Promise<void> {
    const asOfMs = this.parts.nowMs();
    const webhooks = await this.parts.webhooks.list();
    const indexes = await this.parts.webhooks.indexes();
    const wanted = JSON.stringify([webhooks, indexes.map(({ tag }) => tag)]);
    if (wanted !== this.#wanted) await this.parts.webhooks.tellWhatIsWanted(webhooks, { at: indexes });
    this.#wanted = wanted;
    const named = new Set<string>();
    for (const webhook of webhooks) {
      for (const index of indexes) {
        const name = `${webhook.id} ${index.tag}`;
        named.add(name);
        const lane = this.#lanes.get(name);
        if (lane !== undefined) lane.update(webhook, asOfMs);
        else this.#lanes.set(name, await this.#openLane(webhook, index, asOfMs));
      }
    }
    for (const [name, lane] of this.#lanes) {
      if (named.has(name)) continue;
      void lane.stop();
      this.#lanes.delete(name);
    }
    const { metrics } = this.parts;
    metrics.webhooksParked.set(webhooks.filter(({ state }) => state === 'parked').length);
    metrics.webhooksWaiting.set([...this.#lanes.values()].reduce((sum, { waiting }) => sum + waiting, 0));
  }

  async #openLane(webhook: Webhook, index: IndexKeys, asOfMs: number): Promise<Lane> {
    const {
      outbox,
      nowMs,
      random,
      metrics,
      patience = dayLong,
      waitingAtMost = WAITING_AT_MOST,
    } = this.parts;
    const parts: LaneParts = {
      send: (to, posted) => this.#send(to, posted),
      fetch: (place) => outbox.at(index, place),
      putAside: (posted: Posted, why: Pick<Waiting, 'attempts' | 'error'>) =>
        outbox.park(index, webhook.id, posted, why),
      parkWebhook: (reason, waiting) => void this.#park(webhook.id, reason, waiting),
      mayDeliver: () => this.#hasTurn && !this.#isStopped,
      onAttempt: (outcome) => metrics.webhookDeliveries.inc({ outcome }),
      nowMs,
      random,
      patience,
      waitingAtMost,
    };
    return new Lane(index, webhook, parts, asOfMs, await outbox.progress(index, webhook.id));
  }

  async #send(webhook: Webhook, { org, entry }: Posted): Promise<SendOutcome> {
    const [event] = await this.parts.outbox.named(org, [entry]);
    if (event === undefined) throw new Error('an event without a form');
    return this.parts.sender.send(webhook, messageOf(org, event));
  }

  /** A webhook that cannot go on by itself waits for an owner. */
  async #park(id: string, reason: 'too_many_waiting' | 'gone', waiting: number): Promise<void> {
    const { webhooks, log } = this.parts;
    if (this.#parking.has(id)) return;
    this.#parking.add(id);
    try {
      const webhook = await webhooks.get(id);
      if (webhook === null || webhook.state === 'parked') return;
      await webhooks.put({ ...webhook, state: 'parked', reason });
      const { host } = new URL(webhook.url);
      log.error({ webhook: id, reason }, 'webhook parked: nothing more is sent until an owner resumes it');
      await webhooks.tell('webhook.parked', 'broker', {
        webhook: id,
        host,
        reason,
        waiting: String(waiting),
      });
      this.#due.config = 0;
    } catch (error) {
      // The next event finds it in the same state.
      log.warn({ webhook: id, reason: String(error) }, 'webhook could not be parked');
    } finally {
      this.#parking.delete(id);
    }
  }

  /** Gives whether an outbox had more than was read. */
  async #read(): Promise<boolean> {
    let isMore = false;
    // A parked lane stays behind a little, and must not hold up the others.
    const reading = [...this.#lanes.values()].filter((lane) => lane.isReading);
    const groups = [false, true].flatMap((isParked) => [
      ...byIndex(reading.filter((lane) => lane.isParked === isParked)),
    ]);
    await forEach(groups, async (lanes) => {
      const places = lanes.map(({ read }) => read);
      const after = places.reduce((one, other) => (isBefore(one, other) ? one : other));
      const index = lanes[0]?.index;
      if (index === undefined) return;
      const posted = await this.parts.outbox.posted(index, after, BATCH);
      for (const lane of lanes) lane.offer(posted.filter(({ place }) => isBefore(lane.read, place)));
      const isFurther = lanes.some(({ read }) => isBefore(after, read));
      isMore ||= posted.length === BATCH && isFurther;
    });
    return isMore;
  }

  /** Notes how far every lane has got. */
  async #note(): Promise<void> {
    const { outbox } = this.parts;
    await forEach(this.#lanes, async ([name, lane]) => {
      const [id = ''] = name.split(' ');
      if ((await outbox.keptAfter(lane.index, id)) !== lane.keptAfter) lane.forgetWhatIsKept();
      const progress = lane.progress();
      if (progress === null) return;
      try {
        await outbox.keep(lane.index, id, progress);
        progress.done();
      } catch (error) {
        progress.failed();
        throw error;
      }
    });
  }

  /** Removes what every webhook has had. The newest stays: by it one sees that Redis has gone back. */
  async #trim(indexes: readonly IndexKeys[]): Promise<void> {
    const { outbox } = this.parts;
    const byTag = new Map([...byIndex(this.#lanes.values())].map((lanes) => [lanes[0]?.index.tag, lanes]));
    await forEach(indexes, async (index) => {
      const newest = await outbox.newestPlace(index);
      const lanes = byTag.get(index.tag) ?? [];
      for (const lane of lanes) lane.compare(newest);
      const needed = lanes.map(({ needs }) => needs).reduce((a, b) => (isBefore(a, b) ? a : b), newest);
      if (needed !== '0-0') await outbox.trim(index, needed);
    });
  }

  #dropLanes(): void {
    for (const lane of this.#lanes.values()) void lane.stop();
    this.#lanes.clear();
    this.#wanted = '';
    this.parts.metrics.webhooksWaiting.set(0);
    this.parts.metrics.webhooksParked.set(0);
  }
}
