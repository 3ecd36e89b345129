import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { HeldLease, Question } from './lease-types.js';
import type { RedisConnection } from './redis.js';
import type { SeatScripts } from './seat-scripts.js';

interface Whose {
  readonly org: string;
  readonly user: string;
}

/** Questions for a seat, from where the claim left them (lua/ask.lua). Rejects with StoreUnavailable or StoreDefect. */
export class Asks {
  constructor(
    private readonly parts: {
      readonly redis: RedisConnection;
      readonly seats: SeatScripts;
      readonly keys: KeyNames;
    },
  ) {}

  /** Tells the node of whoever asks that the question was put to a live connection. */
  async put({ org, user }: Whose, { askId, askerNode, asker }: Question): Promise<void> {
    const { redis, keys } = this.parts;
    const notice = { type: 'put', org, user, askId, connection: asker };
    await reachStore(() => redis.publish(keys.channelPrefix + askerNode, JSON.stringify(notice)));
  }

  /** The holder's answer. Gives for how long the question stands; null where it fits none. */
  async answer(
    lease: HeldLease,
    askId: string,
    yields: boolean,
    needMs: number | undefined,
  ): Promise<number | null> {
    const { sessionId, connection } = lease;
    const order = { sessionId, connection, askId, isYes: yields, ...(needMs !== undefined && { needMs }) };
    const inMs = Number(await reachStore(() => this.parts.seats.run('answer', lease, order)));
    return inMs < 0 ? null : inMs;
  }

  /** A connection that waited has gone, and with it its question, if it asked one. */
  async withdraw(whose: Whose, connection: string, askId: string | null): Promise<void> {
    const order = { connection, ...(askId !== null && { askId }) };
    await reachStore(() => this.parts.seats.run('withdraw', whose, order));
  }
}
