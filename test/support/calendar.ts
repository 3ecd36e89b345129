import { setTimeout as pause } from 'node:timers/promises';

const QUARTER_MS = 900_000;
const MINUTE_MS = 60_000;
/** No test that counts by the hour or by the day takes longer. */
const ROOM_MS = 10_000;

/** Waits where a quarter of an hour is about to end: what a test then writes and reads falls into one, and into one hour and day. */
export async function withinOneHour(): Promise<void> {
  const leftMs = QUARTER_MS - (Date.now() % QUARTER_MS);
  if (leftMs < ROOM_MS) await pause(leftMs);
}

/** Waits where the minute is about to end: what a test then counts by the minute falls into one. */
export async function withinOneMinute(): Promise<void> {
  const leftMs = MINUTE_MS - (Date.now() % MINUTE_MS);
  if (leftMs < ROOM_MS) await pause(leftMs);
}
