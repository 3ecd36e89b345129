import type { Redis } from 'ioredis';
import type { Machine } from '#client/protocol/messages.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { causeOf } from './causes.js';
import type { EvictionReason, Question } from './lease-types.js';
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
  /** Those of this node, where programs share the session. */
  readonly connections?: readonly string[];
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
  readonly connections?: readonly string[];
  readonly by: Machine;
}

/** Another program of its machine holds the session of this connection too. */
export interface SharedNotice {
  readonly type: 'shared';
  readonly org: string;
  readonly user: string;
  readonly sessionId: string;
  readonly connection: string;
  readonly instance: string;
}

/** To the node of an asked holder: somebody asks for its seat, or does no more. */
export interface AskedNotice extends Question {
  readonly type: 'asked';
  readonly org: string;
  readonly user: string;
  readonly sessionId: string;
  readonly connections?: readonly string[];
}
export interface WithdrawnNotice {
  readonly type: 'withdrawn';
  readonly org: string;
  readonly user: string;
  readonly sessionId: string;
  readonly connections?: readonly string[];
  readonly askId: string;
}

/** To the node of a connection that waits: the seat is free, its question was put, or was answered. */
export type WaiterNotice =
  | { readonly type: 'seat_free'; readonly connection: string }
  | { readonly type: 'put'; readonly connection: string; readonly askId: string }
  | {
      readonly type: 'answered';
      readonly connection: string;
      readonly askId: string;
      /** Open: the holder needs `inMs` more. */
      readonly state: 'open' | 'yes' | 'refused';
      readonly inMs: number;
    };

/** What this node holds of the org is to be looked up: something about it has changed. */
interface VerifyNotice {
  readonly type: 'verify';
  readonly org: string;
}

type Notice =
  | EndedNotice
  | ContestedNotice
  | SharedNotice
  | VerifyNotice
  | AskedNotice
  | WithdrawnNotice
  | WaiterNotice
  | { readonly type: 'probe'; readonly id: number };

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
  readonly onShared: (notice: SharedNotice) => void;
  readonly onVerify: (org: string) => void;
  readonly onAsked: (notice: AskedNotice | WithdrawnNotice) => void;
  readonly onWaiter: (notice: WaiterNotice) => void;
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
    switch (notice?.type) {
      case undefined:
        this.parts.log.warn('inbox message not understood');
        break;
      case 'probe':
        this.#probeCameBack(notice.id);
        break;
      case 'contested':
        this.parts.onContested(notice);
        break;
      case 'shared':
        this.parts.onShared(notice);
        break;
      case 'verify':
        this.parts.onVerify(notice.org);
        break;
      case 'asked':
      case 'withdrawn':
        this.parts.onAsked(notice);
        break;
      case 'seat_free':
      case 'put':
      case 'answered':
        this.parts.onWaiter(notice);
        break;
      case 'ended':
        this.parts.onEnded(notice);
    }
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
      ...(Array.isArray(fields.connections) && { connections: fields.connections as string[] }),
    };
    const askId = String(fields.askId);
    const inMs = Number(fields.inMs);
    if (fields.type === 'asked') {
      const asker = { askerNode: String(fields.askerNode), asker: String(fields.asker) };
      return { ...grant, type: 'asked', askId, inMs, ...asker, by: fields.by as Machine };
    }
    if (fields.type === 'withdrawn') return { ...grant, type: 'withdrawn', askId };
    const connection = String(fields.connection);
    if (fields.type === 'seat_free') return { type: 'seat_free', connection };
    if (fields.type === 'put') return { type: 'put', connection, askId };
    if (fields.type === 'answered') {
      const state = fields.state as 'open' | 'yes' | 'refused';
      return { type: 'answered', connection, askId, state, inMs };
    }
    if (fields.type === 'shared') {
      const whose = { connection: String(fields.connection), instance: String(fields.instance) };
      return { ...grant, ...whose, type: 'shared' };
    }
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
