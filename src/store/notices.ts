import type { Redis } from 'ioredis';
import type { Machine } from '#client/protocol/messages.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { causeOf } from './causes.js';
import type { EvictionReason } from './lease-types.js';
import type { Outages } from './outages.js';
import { connectRedis, type RedisConnection } from './redis.js';

/** A grant of this node was ended from outside. A hint only: the lease is the truth (promise 5). */
export interface EndedNotice {
  readonly type: 'ended';
  readonly org: string;
  readonly user: string;
  readonly sessionId: string;
  readonly epoch: number;
  /** Null from a node of version 0.1. */
  readonly connection: string | null;
  readonly reason: EvictionReason;
  readonly by: Machine | null;
  readonly at: number;
  readonly byEpoch: number;
  /** Of the claim that ended it, as Trace.parent has it; null where nobody traces. */
  readonly trace: string | null;
}

/** Another machine keeps trying to take the seat of a grant of this node, and was refused. */
export interface ContestedNotice {
  readonly type: 'contested';
  readonly org: string;
  readonly user: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly connection: string | null;
  readonly by: Machine;
}

/** What this node holds of the org is to be looked up: something about it has changed. */
interface VerifyNotice {
  readonly type: 'verify';
  readonly org: string;
}

type Notice = EndedNotice | ContestedNotice | VerifyNotice | { readonly type: 'probe'; readonly id: number };

export interface InboxParts {
  readonly commands: RedisConnection;
  readonly subscriber: Redis;
  readonly channel: string;
  readonly probeEveryMs: number;
  readonly probeTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly outages: Outages;
  readonly onEnded: (notice: EndedNotice) => void;
  readonly onContested: (notice: ContestedNotice) => void;
  readonly onVerify: (org: string) => void;
  /** After every subscribe: notices may have been missed, so all that is held must be verified. */
  readonly onSubscribed: () => void;
}

/** The node's inbox: one channel, re-subscribed at every reconnect, and probed since sockets die silently. */
export class Inbox {
  #probeId = 0;
  #answeredId = 0;
  #probedAtMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #subscribed = false;
  #isWatched = false;

  constructor(private readonly parts: InboxParts) {}

  /** Whether notices can come in at present. */
  get isReady(): boolean {
    return this.#subscribed;
  }

  /** May be called again after it has failed. */
  async open(): Promise<void> {
    const { subscriber, probeEveryMs } = this.parts;
    if (!this.#isWatched) {
      this.#isWatched = true;
      subscriber.on('message', (_channel: string, text: string) => this.#receive(text));
      subscriber.on('close', () => {
        this.#subscribed = false;
      });
    }
    await connectRedis(subscriber);
    await this.#subscribe();
    subscriber.on('ready', () => void this.#subscribe());
    this.#timer = setInterval(() => void this.#probe(), probeEveryMs);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.parts.subscriber.disconnect();
  }

  async #subscribe(): Promise<void> {
    const { subscriber, channel, outages, onSubscribed } = this.parts;
    try {
      await subscriber.subscribe(channel);
    } catch (error) {
      // A probe that does not come back makes a new connection, and with it the next attempt.
      outages.failed('inbox', error);
      return;
    }
    this.#subscribed = true;
    outages.well('inbox');
    onSubscribed();
  }

  async #probe(): Promise<void> {
    const { commands, channel, probeTimeoutMs, metrics, log, subscriber } = this.parts;
    const id = ++this.#probeId;
    this.#probedAtMs = this.parts.clock();
    try {
      await commands.publish(channel, JSON.stringify({ type: 'probe', id }));
    } catch (error) {
      // That Redis is out of reach is told by the connection for commands, but not that it may not publish.
      if (causeOf(error)?.kind === 'no_permission') this.parts.outages.failed('inbox', error);
      return;
    }
    setTimeout(() => {
      if (this.#answeredId >= id || subscriber.status === 'end') return;
      metrics.probeFailures.inc();
      log.warn({ subscribed: this.#subscribed }, 'inbox probe did not come back; reconnecting the inbox');
      subscriber.disconnect(true);
    }, probeTimeoutMs).unref();
  }

  #receive(text: string): void {
    const notice = parseNotice(text);
    if (notice === null) this.parts.log.warn('inbox message not understood');
    else if (notice.type === 'probe') this.#probeCameBack(notice.id);
    else if (notice.type === 'contested') this.parts.onContested(notice);
    else if (notice.type === 'verify') this.parts.onVerify(notice.org);
    else this.parts.onEnded(notice);
  }

  #probeCameBack(id: number): void {
    this.parts.outages.well('inbox');
    this.#answeredId = Math.max(this.#answeredId, id);
    // A probe that was overtaken by the next one has already been counted as a failure.
    if (id === this.#probeId)
      this.parts.metrics.probeSeconds.observe((this.parts.clock() - this.#probedAtMs) / 1000);
  }
}

function parseNotice(text: string): Notice | null {
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    if (fields.type === 'probe') return { type: 'probe', id: Number(fields.id) };
    if (fields.type === 'verify') return { type: 'verify', org: String(fields.org) };
    const grant = {
      org: String(fields.org),
      user: String(fields.user),
      sessionId: String(fields.sessionId),
      epoch: Number(fields.epoch),
      connection: typeof fields.connection === 'string' ? fields.connection : null,
    };
    if (fields.type === 'contested') return { ...grant, type: 'contested', by: fields.by as Machine };
    if (fields.type !== 'ended') return null;
    return {
      ...grant,
      type: 'ended',
      reason: fields.reason as EvictionReason,
      by: (fields.by as Machine | undefined) ?? null,
      at: Number(fields.at),
      byEpoch: Number(fields.byEpoch),
      trace: typeof fields.trace === 'string' ? fields.trace : null,
    };
  } catch {
    return null;
  }
}
