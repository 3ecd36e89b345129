import type { License, LicenseStatus, LicenseTerms } from './license-types.js';

const DAY_MS = 86_400_000;

/** A license as Redis keeps it. */
export type LicenseFields = Readonly<Record<string, string | undefined>>;

/** As the scripts take them: '' takes a term away. */
export function termsAsText({ kind, startsAt, graceDays, idleExempt }: LicenseTerms) {
  return {
    ...(kind !== undefined && { kind: kind ?? '' }),
    ...(startsAt !== undefined && { startsAt: startsAt === null ? '' : String(startsAt) }),
    ...(graceDays !== undefined && { graceMs: graceDays ? String(graceDays * DAY_MS) : '' }),
    ...(idleExempt !== undefined && { idleExempt: idleExempt ? '1' : '' }),
  };
}

/** A license as the scripts give it; null where the user has none. */
export function licenseOf(user: string, fields: LicenseFields, lastUsedAt: number): License | null {
  const { id, status, issuedAt, expiresAt, expiresOn, note, kind, startsAt, graceMs, idleExempt } = fields;
  if (id === undefined || status === undefined) return null;
  const issuedMs = Number(issuedAt ?? 0);
  return {
    user,
    id,
    status: status as LicenseStatus,
    issuedAt: issuedMs,
    expiresAt: expiresAt === undefined ? null : Number(expiresAt),
    expiresOn: expiresOn?.endsWith(` ${expiresAt}`) ? expiresOn.slice(0, 10) : null,
    kind: kind ?? null,
    startsAt: startsAt === undefined ? null : Number(startsAt),
    graceDays: Number(graceMs ?? 0) / DAY_MS,
    idleExempt: idleExempt !== undefined,
    note: note ?? null,
    lastUsedAt: lastUsedAt > issuedMs ? lastUsedAt : null,
  };
}
