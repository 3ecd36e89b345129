import { setTimeout as pause } from 'node:timers/promises';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** No test that counts by the hour or by the day takes longer. */
const ROOM_MS = 10_000;

/** Waits where the hour is about to end: what a test then writes and reads falls into one hour, and into one day. */
export async function withinOneHour(): Promise<void> {
  const leftMs = HOUR_MS - (Date.now() % HOUR_MS);
  if (leftMs < ROOM_MS) await pause(leftMs);
}

/** Waits where the minute is about to end: what a test then counts by the minute falls into one. */
export async function withinOneMinute(): Promise<void> {
  const leftMs = MINUTE_MS - (Date.now() % MINUTE_MS);
  if (leftMs < ROOM_MS) await pause(leftMs);
}
