import type { Machine } from '#client/protocol/messages.js';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';

/** A machine on which a user got a seat. */
export interface SeenMachine {
  readonly machine: Machine;
  /** Unix ms. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** How often it was granted the seat, resumes included. */
  readonly times: number;
  /** Two programs with this id were there at the same time, and called the machine by different names. */
  readonly double?: {
    readonly names: readonly string[];
    /** Unix ms, the last time. */
    readonly at: number;
  };
}

const noteForm = /^(\d+):(\d+):(.*)$/s;
const doubleForm = /^(\d+):(.*)$/s;

/** The machines of users: unlimited in use, the newest 256 of a user are kept. Rejects with StoreUnavailable or StoreDefect. */
export class Machines {
  constructor(private readonly parts: { readonly redis: RedisConnection; readonly keys: KeyNames }) {}

  /** The user's machines, the last seen first. */
  async of(org: string, user: string): Promise<SeenMachine[]> {
    const { redis, keys } = this.parts;
    return reachStore(async () => {
      const [flat, notes, doubles] = await Promise.all([
        redis.zrevrange(keys.machines(org, user), 0, -1, 'WITHSCORES'),
        redis.hgetall(keys.machineNotes(org, user)),
        redis.hgetall(keys.machineDoubles(org, user)),
      ]);
      const seen: SeenMachine[] = [];
      for (let index = 0; index < flat.length; index += 2) {
        const id = flat[index] ?? '';
        const [, first, times, text] = noteForm.exec(notes[id] ?? '') ?? [];
        const lastSeen = Number(flat[index + 1]);
        const machine = text === undefined ? { id } : (JSON.parse(text) as Machine);
        const [, at, names] = doubleForm.exec(doubles[id] ?? '') ?? [];
        const double = names === undefined ? {} : { double: { at: Number(at), names: JSON.parse(names) } };
        const firstSeen = Number(first ?? lastSeen);
        seen.push({ machine, firstSeen, lastSeen, times: Number(times ?? 1), ...double });
      }
      return seen;
    });
  }
}
