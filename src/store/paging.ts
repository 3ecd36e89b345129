import type { Page } from './license-types.js';
import type { Scripts } from './scripts.js';

/** The cursor is none that this list has given. */
export class BadCursor extends Error {
  constructor() {
    super('the cursor is not one of this list');
  }
}

/** Where a member stands in a sorted set: Redis orders by score, and members of one score by their bytes. */
export interface Place {
  readonly score: number;
  readonly member: string;
}

export interface Stretch {
  /** As `next` of the page before named it; null: the page begins at the first member. */
  readonly cursor: string | null;
  readonly limit: number;
  /** Only members below this score. */
  readonly untilScore?: number | undefined;
  /** By falling score. */
  readonly isBackward?: boolean;
}

/**
 * One page of a sorted set, by rising score, or by falling score from its end. The cursor names the place of the last member that was given, and the page
 * goes on strictly behind it, also when that member has left: a member that stays where it is comes once.
 */
export async function pageByScore(
  scripts: Scripts,
  place: { org: string; key: string },
  stretch: Stretch,
): Promise<Page<Place>> {
  const { org, key } = place;
  const { cursor, limit, untilScore = Number.POSITIVE_INFINITY, isBackward = false } = stretch;
  const behind = cursor === null ? [] : placeArguments(cursor);
  // One more than the page holds tells whether there is another page.
  const reply = await scripts.run(isBackward ? 'backward' : 'page', { org }, [limit + 1, ...behind], [key]);
  const wanted = placesIn(reply as readonly string[]).filter(({ score }) => score < untilScore);
  const items = wanted.slice(0, limit);
  const last = items.at(-1);
  return { items, next: wanted.length > limit && last !== undefined ? cursorBehind(last) : null };
}

/** The cursor of the page that begins behind a place. */
export function cursorBehind({ score, member }: Place): string {
  return cursorOf([score, member]);
}

function placeArguments(cursor: string): readonly [string, string] {
  const [score, member, ...more] = readCursor(cursor);
  if (typeof score !== 'number' || typeof member !== 'string' || more.length > 0) throw new BadCursor();
  // The shortest text that reads as the same double: exact for times in ms and in µs.
  return [String(score), member];
}

function placesIn(flat: readonly string[]): Place[] {
  const places: Place[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2)
    places.push({ member: flat[index] ?? '', score: Number(flat[index + 1]) });
  return places;
}

/** A cursor that stands for a place in a list, opaque to who is given it. */
export function cursorOf(place: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** The place that a cursor stands for. Throws BadCursor. */
export function readCursor(cursor: string): readonly unknown[] {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    // One that cursorOf did not write so is none: base64 and JSON are read with a forbearance that is not wanted here.
    if (Array.isArray(place) && cursorOf(place) === cursor) return place;
  } catch {
    // Falls through to the one answer.
  }
  throw new BadCursor();
}
