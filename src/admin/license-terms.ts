import type { LicenseTerms } from '../store/license-types.js';
import { momentsOf } from './moments.js';
import type { RouteParts } from './route.js';

/** The terms that a body names. Throws the Problem that names the field. */
export async function termsOf(
  body: Omit<LicenseTerms, 'startsAt'> & { readonly startsAt?: string | null },
  org: string,
  { store }: RouteParts,
): Promise<LicenseTerms> {
  const { kind, graceDays, idleExempt, startsAt } = body;
  const startsAtMs =
    typeof startsAt === 'string' ? (await momentsOf({ from: startsAt }, org, store)).fromMs : startsAt;
  return {
    ...(kind !== undefined && { kind }),
    ...(graceDays !== undefined && { graceDays }),
    ...(idleExempt !== undefined && { idleExempt }),
    ...(startsAtMs !== undefined && { startsAt: startsAtMs }),
  };
}
