import type { AdminAnswers, RowOf } from '../../protocol/admin-answers.js';

/** What the admin API answers, by the names that the console has for it. */

/** Who is signed in. `org` is null for a token for all of them. */
export type Identity = AdminAnswers['whoAmI'];
export type Role = Identity['role'];
/** Each may do what those before it may. */
export const roles = ['viewer', 'operator', 'admin', 'owner'] as const satisfies readonly Role[];

export interface Page<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null: this is the last. */
  readonly next: string | null;
}

/** An org in the list of all. */
export type OrgBrief = RowOf<'listOrgs'>;
export type Org = AdminAnswers['getOrg'];
export type License = AdminAnswers['getLicense'];
export type LicenseStatus = License['status'];
export type Session = AdminAnswers['getSession'];
export type UserFacts = AdminAnswers['getUser'];
export type Machine = Session['machine'];
export type SeenMachine = RowOf<'listMachines'>;
/** A URL that events are posted to. */
export type Webhook = AdminAnswers['getWebhook'];
export type UsageRow = RowOf<'getUsage'>;
export type NodeRow = RowOf<'listNodes'>;
/** How an org stands this second. */
export type Overview = AdminAnswers['watchOverview'];
