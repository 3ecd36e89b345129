import { reachStore } from './errors.js';
import { hourOf, type KeyNames, quarterOf } from './keys.js';
import type { RedisConnection } from './redis.js';

/** What happened in a stretch of time. */
export interface UsageCounts {
  /** Most sessions at once. */
  readonly peak: number;
  readonly granted: number;
  readonly resumed: number;
  readonly takeovers: number;
  readonly denied: number;
  readonly seatMs: number;
}

/** Stretches of UTC by their first moments (Unix ms). */
export interface UserParts {
  readonly days: readonly number[];
  readonly hours: readonly number[];
  readonly quarters: readonly number[];
}

/** What is kept, and so the most that can be asked for. */
export const USAGE_DAYS = 400;

/** Usage over time, as the scripts count it. Reads only. Rejects with StoreUnavailable or StoreDefect. */
export class Usage {
  constructor(private readonly parts: { readonly redis: RedisConnection; readonly keys: KeyNames }) {}

  /** What is counted of the hours of UTC that begin then. */
  async hours(org: string, starts: readonly number[]): Promise<UsageCounts[]> {
    return this.#read(starts.map((ms) => this.parts.keys.usage(org, hourOf(ms))));
  }

  /** What is counted of the quarters of an hour that begin then: nothing, where they are kept no more. */
  async quarters(org: string, starts: readonly number[]): Promise<UsageCounts[]> {
    return this.#read(starts.map((ms) => this.parts.keys.usageOfQuarter(org, quarterOf(ms))));
  }

  /** How many different users came in within all of these, by HyperLogLog (±1 %). */
  async users(org: string, { days, hours, quarters }: UserParts): Promise<number> {
    const { redis, keys } = this.parts;
    const all = [
      ...days.map((ms) => keys.users(org, hourOf(ms).slice(0, 10))),
      ...hours.map((ms) => keys.usersOfHour(org, hourOf(ms))),
      ...quarters.map((ms) => keys.usersOfQuarter(org, quarterOf(ms))),
    ];
    return all.length === 0 ? 0 : reachStore(() => redis.pfcount(...all));
  }

  async #read(names: readonly string[]): Promise<UsageCounts[]> {
    const { redis } = this.parts;
    return reachStore(() => Promise.all(names.map(async (name) => countsOf(await redis.hgetall(name)))));
  }
}

function countsOf(fields: Readonly<Record<string, string>>): UsageCounts {
  const count = (name: string) => Number(fields[name] ?? 0);
  const denied = Object.entries(fields).filter(([name]) => name.startsWith('denied:'));
  return {
    peak: count('peak'),
    granted: count('granted'),
    resumed: count('resumed'),
    takeovers: count('ended:taken_over'),
    denied: denied.reduce((sum, [, text]) => sum + Number(text), 0),
    seatMs: count('seatMs'),
  };
}
