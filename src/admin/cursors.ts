import { createHash } from 'node:crypto';
import type { Page } from '../store/license-types.js';
import { BadCursor } from '../store/paging.js';
import type { Call } from './route.js';
import { DEFAULT_LIMIT } from './schemas.js';

interface Listing {
  readonly params: unknown;
  readonly query: { readonly limit?: number; readonly cursor?: string };
}

/**
 * One page of a list, whose cursors are good for this list alone: that of another org's, of another kind of list,
 * or of another choice of items is refused. Rejects with BadCursor.
 */
export async function answerPage<T, Item>(
  call: Call & Listing,
  read: (cursor: string | null, limit: number) => Promise<Page<T>>,
  toItem: (one: T) => Item,
): Promise<Page<Item>> {
  const { limit = DEFAULT_LIMIT, cursor, ...choice } = call.query;
  const mark = markOf(call.request.routeOptions.url ?? '', call.params, choice);
  const page = await read(cursor === undefined ? null : unmarked(cursor, mark), limit);
  return { items: page.items.map(toItem), next: page.next === null ? null : `${mark}.${page.next}` };
}

function markOf(path: string, params: unknown, choice: object): string {
  return createHash('sha256')
    .update(JSON.stringify([path, params, Object.entries(choice).sort()]))
    .digest('base64url')
    .slice(0, 8);
}

function unmarked(cursor: string, mark: string): string {
  if (!cursor.startsWith(`${mark}.`)) throw new BadCursor();
  return cursor.slice(mark.length + 1);
}
