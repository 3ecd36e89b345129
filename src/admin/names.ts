import { nameFault, nameOf, orgNameFault } from '../protocol/text.js';
import type { Spellings } from '../store/spellings.js';
import { OWNERS_ORG } from '../store/webhooks.js';
import { invalid } from './problem.js';

/** What a request calls users and orgs. */
const faultsOf: Readonly<Record<string, (name: string) => string | null>> = {
  user: nameFault,
  to: nameFault,
  org: orgNameFault,
};

/** The fields of a request, with names as they are kept. Throws the Problem that tells which one can be nobody's. */
export function withNames<T>(fields: T): T {
  if (typeof fields !== 'object' || fields === null || fields instanceof Uint8Array) return fields;
  const cleaned = { ...fields } as Record<string, unknown>;
  for (const [field, faultOf] of Object.entries(faultsOf)) {
    const value = cleaned[field];
    if (typeof value !== 'string') continue;
    const name = nameOf(value);
    const fault = value === OWNERS_ORG && field === 'org' ? null : faultOf(name);
    if (fault !== null) throw invalid([{ field, problem: fault }]);
    cleaned[field] = name;
  }
  return cleaned as T;
}

/** The fields of a request with users as the org keeps them: it may ignore case. */
export async function withKeptNames<T>(fields: T, org: string | undefined, spellings: Spellings): Promise<T> {
  if (org === undefined || typeof fields !== 'object' || fields === null) return fields;
  const kept = { ...fields } as Record<string, unknown>;
  for (const field of ['user', 'to']) {
    const name = kept[field];
    if (typeof name === 'string') kept[field] = await spellings.kept(org, name);
  }
  return kept as T;
}

/**
 * The parameters of a path, with names as they are kept; null where one can be nobody's. The trail of the owners is read under
 * a name that no org has, and nothing else is.
 */
export function paramsWithNames(
  params: Readonly<Record<string, string>>,
  isRead: boolean,
): Record<string, string> | null {
  const cleaned: Record<string, string> = {};
  for (const [field, value] of Object.entries(params)) {
    const faultOf = faultsOf[field];
    cleaned[field] = faultOf === undefined ? value : nameOf(value);
    const isOwners = field === 'org' && value === OWNERS_ORG && isRead;
    if (!isOwners && (faultOf?.(cleaned[field]) ?? null) !== null) return null;
  }
  return cleaned;
}
