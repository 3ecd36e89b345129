import { causeOf } from './causes.js';
import { StoreDefect } from './errors.js';
import type { Horizon, Learnt } from './horizon.js';
import type { KeyNames } from './keys.js';
import type { LeaseConfig } from './lease-types.js';
import type { RedisClock } from './redis-clock.js';
import { readReply } from './replies.js';
import type { ScriptName, Scripts } from './scripts.js';

/** Whose seat, and the id under which the answer is kept, if it is. */
export interface Seat {
  readonly org: string;
  readonly user: string;
  readonly request?: string;
}

/** Runs the scripts about one user's seat, with what all their orders carry. */
export class SeatScripts {
  /** What every order carries, as JSON without its braces: made once. */
  readonly #common: string;

  constructor(
    private readonly scripts: Scripts,
    keys: KeyNames,
    private readonly config: LeaseConfig,
    private readonly redisClock: RedisClock,
    private readonly horizon: Horizon,
  ) {
    const { nodeId, leaseTtlMs: ttlMs, eventsKept } = config;
    this.#common = membersOf({ nodeId, ttlMs, eventsKept, channelPrefix: keys.channelPrefix });
  }

  /** The reply of a script that answers in JSON, after the node has learnt from it. Rejects as `run` does. */
  async ask<T>(name: ScriptName, seat: Seat, order: object, moreKeys: readonly string[] = []): Promise<T> {
    const reply = readReply<T & Learnt>(await this.run(name, seat, order, moreKeys));
    this.horizon.learn(seat.org, reply);
    // The reply tells an epoch, so the node must learn the clock behind it too.
    if (reply.now !== undefined) this.redisClock.saw(Number(reply.now));
    return reply;
  }

  /**
   * The reply as it came. Rejects as ioredis does; `reachStore` tells what that means. An order that Redis
   * comes to after the command timeout does nothing, as whoever gave it has been told that it failed.
   */
  async run(name: ScriptName, seat: Seat, order: object, moreKeys: readonly string[] = []): Promise<unknown> {
    const { org, user } = seat;
    // Only the choice of the hour hangs on this clock; until Redis has told its time, the system's will do.
    const place = { org, user, request: seat.request ?? 'none', atMs: this.redisClock.nowMs() ?? Date.now() };
    const seatText = JSON.stringify({ org, user }).slice(0, -1);
    const own = membersOf({ ...order, ...this.horizon.boundsOf(org) });
    const argument = `${seatText},${this.#common},${own}}`;
    const learn = this.redisClock.exchange();
    const send = () => this.scripts.run(name, place, [argument, ...this.#notAfter()], moreKeys);
    try {
      return await send();
    } catch (error) {
      const late = /^LATE (\d+)/.exec((error as Error).message);
      if (late === null)
        throw causeOf(error) === null ? new StoreDefect(error, `${name}, org ${org}`) : error;
      // The deadline came from a wrong idea of Redis's time, which is mended by this.
      learn(late[1]);
      return send();
    }
  }

  #notAfter(): number[] {
    const nowMs = this.redisClock.nowMs();
    return nowMs === null ? [] : [Math.ceil(nowMs + this.config.commandTimeoutMs)];
  }
}

function membersOf(object: object): string {
  return JSON.stringify(object).slice(1, -1);
}
