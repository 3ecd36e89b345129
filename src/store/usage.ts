import { reachStore } from './errors.js';
import { hourOf, type KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';

/** What happened in one hour or day. */
export interface UsageRow {
  /** The hour like `2026-11-25T10`, or the day like `2026-11-25`, in UTC. */
  readonly period: string;
  /** Most sessions at once. */
  readonly peak: number;
  readonly granted: number;
  readonly resumed: number;
  readonly takeovers: number;
  readonly denied: number;
  readonly seatMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What is kept, and so the most that can be asked for. */
export const USAGE_DAYS = 400;

/** Usage over time, by what the scripts counted in each hour. Rejects with StoreUnavailable or StoreDefect. */
export class Usage {
  constructor(private readonly parts: { readonly redis: RedisConnection; readonly keys: KeyNames }) {}

  /** One row for every hour that begins from `fromMs` until before `untilMs` (Unix ms). */
  async hours(org: string, fromMs: number, untilMs: number): Promise<UsageRow[]> {
    const { redis, keys } = this.parts;
    const hours: string[] = [];
    for (let at = Math.floor(fromMs / HOUR_MS) * HOUR_MS; at < untilMs; at += HOUR_MS) hours.push(hourOf(at));
    return reachStore(() =>
      Promise.all(hours.map(async (hour) => rowOf(hour, await redis.hgetall(keys.usage(org, hour))))),
    );
  }

  /** How many different users came in on the days from `fromMs` until before `untilMs`, by HyperLogLog (±1 %). */
  async uniqueUsers(org: string, fromMs: number, untilMs: number): Promise<number> {
    const { redis, keys } = this.parts;
    const days: string[] = [];
    for (let at = Math.floor(fromMs / DAY_MS) * DAY_MS; at < untilMs; at += DAY_MS) {
      days.push(keys.users(org, hourOf(at).slice(0, 10)));
    }
    return days.length === 0 ? 0 : reachStore(() => redis.pfcount(...days));
  }
}

function rowOf(period: string, fields: Readonly<Record<string, string>>): UsageRow {
  const count = (name: string) => Number(fields[name] ?? 0);
  const denied = Object.entries(fields).filter(([name]) => name.startsWith('denied:'));
  return {
    period,
    peak: count('peak'),
    granted: count('granted'),
    resumed: count('resumed'),
    takeovers: count('ended:taken_over'),
    denied: denied.reduce((sum, [, text]) => sum + Number(text), 0),
    seatMs: count('seatMs'),
  };
}
