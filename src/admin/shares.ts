import type { Costly } from '../store/costly.js';
import { Problem } from './problem.js';

/** What asks much of Redis and of the node (promise 16), in the words of a refusal. Each has a budget of its own for each token. */
export const costs = {
  import: 'imports',
  export: 'exports',
  recount: 'recounts',
  delivery: 'test deliveries',
} as const;
export type Cost = keyof typeof costs;

/** The sender of a request. Another token of the same person makes no other one. */
export interface Asker {
  readonly subject: string;
  readonly role: string;
  /** Null: of all orgs. */
  readonly org: string | null;
}

/** Throws 429 when the asker has used up their minute of that; 0 of it a minute: no limit. */
export async function spend(
  cost: Cost,
  asker: Asker,
  { costly, perMinute }: { readonly costly: Costly; readonly perMinute: number },
): Promise<void> {
  if (perMinute === 0) return;
  const { count, leftMs } = await costly.count(JSON.stringify([cost, keyOf(asker)]));
  if (count <= perMinute) return;
  throw new Problem(
    429,
    'too_many_requests',
    `too many ${costs[cost]} with this token within a minute`,
    {},
    { 'Retry-After': String(Math.ceil(leftMs / 1000)) },
  );
}

/** By what an asker is counted. */
export function keyOf({ subject, role, org }: Asker): string {
  return JSON.stringify([subject, role, org]);
}
