/** What the admin API answers; times are RFC 3339 in UTC, durations in ms. `/v1/openapi.json` has all of it. */

export const roles = ['viewer', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];

/** Who is signed in. */
export interface Identity {
  readonly subject: string;
  readonly role: Role;
  /** The one org that the token is for; null: all of them. */
  readonly org: string | null;
  readonly expiresAt: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null: this is the last. */
  readonly next: string | null;
}

export interface OrgCounts {
  readonly issued: number;
  /** null: there is no quota. */
  readonly available: number | null;
  readonly suspended: number;
  readonly expired: number;
  readonly revoked: number;
  readonly active: number;
  readonly peak: number;
  readonly peakAt: string | null;
  readonly takeovers: number;
  readonly evictions: Readonly<Record<string, number>>;
  readonly denials: Readonly<Record<string, number>>;
  readonly uniqueUsersToday: number;
  readonly uniqueUsersThisMonth: number;
}

/** An org in the list of all. */
export interface OrgBrief {
  readonly org: string;
  readonly quota: number | null;
  readonly issued: number;
  readonly active: number;
  readonly peak: number;
}

export interface Org {
  readonly org: string;
  readonly settings: {
    readonly quota: number | null;
    readonly licenseMode: string | null;
    readonly timeZone: string | null;
  };
  readonly counts: OrgCounts;
}

export type LicenseStatus = 'active' | 'suspended' | 'expired' | 'revoked';

export interface License {
  readonly user: string;
  readonly id: string;
  readonly status: LicenseStatus;
  readonly issuedAt: string;
  readonly expiresAt: string | null;
  readonly expiresOn: string | null;
  readonly note: string | null;
  readonly lastUsedAt: string | null;
}

export interface Machine {
  readonly id: string;
  readonly name?: string;
  readonly os?: string;
  readonly kind?: string;
}

export interface SeenMachine extends Machine {
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly times: number;
  /** Two programs with this id ran at once, under these names. */
  readonly double?: { readonly names: readonly string[]; readonly at: string };
}

export interface Session {
  readonly user: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly nodeId: string;
  readonly since: string;
  readonly machine: Machine;
}

/** A URL that events are posted to. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  /** null: all. */
  readonly types: readonly string[] | null;
  readonly orgs: readonly string[] | null;
  readonly state: 'active' | 'paused' | 'parked';
  readonly reason: 'too_many_waiting' | 'gone' | null;
  readonly createdAt: string;
  readonly waiting: number;
  readonly parked: number;
}

export interface UsageRow {
  readonly at: string;
  readonly day?: string;
  readonly peak: number;
  readonly grants: number;
  readonly resumes: number;
  readonly takeovers: number;
  readonly denials: number;
  readonly seatHours: number;
  readonly uniqueUsers?: number;
  /** It begins or ends within an hour of which the quarters are kept no more. */
  readonly wholeHours?: true;
}

export interface NodeRow {
  readonly nodeId: string;
  readonly lastSeen: string;
  /** Heard within the last seconds. */
  readonly isLive: boolean;
  readonly version?: string;
  readonly publicAddress?: string;
  readonly startedAt?: string;
  readonly sessions?: number;
  readonly state?: 'ready' | 'draining';
}

/** How an org stands this second. */
export interface Overview {
  readonly active: number;
  readonly issued: number;
  readonly quota: number | null;
  readonly peak: number;
  readonly takeoversPerMinute: number;
  /** Half of the evictions of the node that answers took at most this, or more; null: there were none lately. */
  readonly nodeEvictionLatency: { readonly medianMs: number; readonly isOver: boolean } | null;
  readonly nodes: number;
  readonly redis: { readonly up: boolean };
}
