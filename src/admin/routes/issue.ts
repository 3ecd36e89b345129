import { createHash } from 'node:crypto';
import type { LicenseEnd } from '../../license/end.js';
import type { Actor, LicenseAnswer, LicenseTerms } from '../../store/license-types.js';
import { invalid, Problem } from '../problem.js';
import type { RouteParts } from '../route.js';

const MAX_KEY_LENGTH = 256;

interface Order {
  readonly org: string;
  readonly user: string;
  readonly actor: Actor;
  readonly end: LicenseEnd | null;
  readonly terms: LicenseTerms;
  readonly note?: string;
}

/**
 * Issues a license. A repetition under the same idempotency key is answered like the first time; the same key for
 * another request is refused, as one of the two would go unnoticed.
 */
export async function issueOnce(
  order: Order,
  keyHeader: string | readonly string[] | undefined,
  { store, newId }: RouteParts,
): Promise<LicenseAnswer> {
  const { org, user, actor, end, terms, note } = order;
  const requestId = keyHeader === undefined ? newId() : requestIdOf(keyHeader);
  if (keyHeader !== undefined) {
    const print = hash(JSON.stringify([user, end, note ?? null, ...Object.entries(terms).flat()]));
    if (!(await store.licenses.isSameRequest(org, requestId, print))) {
      throw new Problem(422, 'idempotency_key_reused', 'the idempotency key was used for another request');
    }
  }
  const answer = await store.licenses.issue({
    org,
    user,
    actor,
    id: newId(),
    requestId,
    terms,
    ...end,
    ...(note !== undefined && { note }),
  });
  // A new org begins to exist with its first license, not with one that was refused. Where there is one already, whoever
  // issued it may have come no further.
  if (answer.outcome === 'done' || answer.reason === 'exists') await store.orgs.enter(org);
  return answer;
}

function requestIdOf(header: string | readonly string[]): string {
  if (typeof header !== 'string' || header === '' || header.length > MAX_KEY_LENGTH) {
    throw invalid([{ field: 'Idempotency-Key', problem: 'must be one text of 1 to 256 characters' }]);
  }
  return `issue-${hash(header)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
