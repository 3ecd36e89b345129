/** The one who acts, as the audit trail names them: `user`, `broker`, or a person at the license desk, with their role. */
export type Actor = string | { readonly name: string; readonly role: string };

/** What an org has issued to a user: the right to one active session. */
export interface License {
  readonly user: string;
  readonly id: string;
  readonly status: LicenseStatus;
  /** Unix ms by Redis's clock. */
  readonly issuedAt: number;
  /** Unix ms; none: it does not expire. */
  readonly expiresAt: number | null;
  /** The last full day, where the end was given so: `2027-01-31`. */
  readonly expiresOn: string | null;
  /** What the vendor calls it, such as `trial`. */
  readonly kind: string | null;
  /** Unix ms; none: it holds since its issue. */
  readonly startsAt: number | null;
  /** For how many days after its end it holds. */
  readonly graceDays: number;
  /** No idle limit holds for it. */
  readonly idleExempt: boolean;
  /** What the person who last changed it wrote. */
  readonly note: string | null;
  /** When a session was last granted or ended (Unix ms); null: never since it was issued. */
  readonly lastUsedAt: number | null;
}

export const licenseStatuses = ['active', 'suspended', 'expired', 'revoked'] as const;
export type LicenseStatus = (typeof licenseStatuses)[number];

export type LicenseRefusal =
  | 'not_found'
  | 'exists'
  | 'wrong_status'
  | 'quota_exhausted'
  | 'expires_in_the_past'
  | 'not_due'
  | 'import_ended'
  | 'on_leave';

export type LicenseAnswer =
  | {
      readonly outcome: 'done';
      readonly license: License;
      /** The session that was ended by the change. */
      readonly endedSessionId: string | null;
    }
  | {
      readonly outcome: 'refused';
      readonly reason: LicenseRefusal;
      /** The status that stood in the way. */
      readonly status: LicenseStatus | null;
      /** Until when the user is on leave (Unix ms), where that is the reason. */
      readonly leaveUntilMs?: number;
    };

/** Who changes what, and why. */
export interface LicenseOrder {
  readonly org: string;
  readonly user: string;
  /** For the audit trail. */
  readonly actor: Actor;
  readonly note?: string;
  /** Also where the user is on leave, and holds a ticket. */
  readonly forced?: boolean;
}

/** What goes along with a license; what is left out does not change, and null takes it away. */
export interface LicenseTerms {
  readonly kind?: string | null;
  /** Unix ms. */
  readonly startsAt?: number | null;
  readonly graceDays?: number | null;
  readonly idleExempt?: boolean;
}

export interface IssueOrder extends LicenseOrder {
  readonly terms?: LicenseTerms;
  /** UUIDv7 of the new license. */
  readonly id: string;
  /** Unix ms. */
  readonly expiresAt?: number;
  /** The day that it was given as. */
  readonly expiresOn?: string;
  /** A repetition with the same id within a day is answered, not done again. */
  readonly requestId: string;
  /** The bulk import that it belongs to. */
  readonly importId?: string;
}

/** One page of a long list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; null: this was the last. */
  readonly next: string | null;
}
