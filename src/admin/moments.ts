import { endOfDayMs, startOfDayMs } from '../base/calendar.js';
import { readTime } from '../base/rfc3339.js';
import type { Store } from '../store/store.js';

interface Asked {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/**
 * The moments that a request asks for, in Unix ms; undefined where it leaves them out. A bare day is one of the org's time
 * zone: from its first moment, until its last. The schema has made sure that they are times or days.
 */
export async function momentsOf(
  { from, until }: Asked,
  org: string,
  { orgs }: Pick<Store, 'orgs'>,
): Promise<{ readonly fromMs?: number; readonly untilMs?: number }> {
  const isDay = [from, until].some((text) => text !== undefined && readTime(text) === null);
  const zone = isDay ? await orgs.timeZone(org) : 'UTC';
  return {
    ...(from !== undefined && { fromMs: momentOf(from, startOfDayMs(from, zone)) }),
    ...(until !== undefined && { untilMs: momentOf(until, endOfDayMs(until, zone)) }),
  };
}

/** Nothing is from before 1970. */
function momentOf(text: string, ofDay: number | null): number {
  return Math.max(0, readTime(text) ?? ofDay ?? 0);
}
