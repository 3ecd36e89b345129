import { CommandFailure, exitCodes } from '../failure.js';
import type { Desk } from './desk.js';

export interface NewOrgOptions {
  readonly newOrg?: boolean;
  readonly yes?: boolean;
}

const NAMES_READ = 2_000;
const NEAREST_TOLD = 3;

/**
 * Comes before what lets an org begin to exist: a mistyped name would begin one too. Asks where somebody can be asked;
 * `--new-org` answers beforehand, `--yes` does not.
 */
export async function checkOrgExists(desk: Desk, { newOrg, yes }: NewOrgOptions): Promise<void> {
  // A token for one org cannot name another by mistake.
  if (newOrg || desk.org === null || !desk.isForAllOrgs) return;
  const names: string[] = [];
  if (await isThere(desk)) return;
  for await (const { org } of desk.api.list<{ org: string }>('/v1/admin/orgs', {}, NAMES_READ))
    names.push(org);
  const nearest = nearestNames(desk.org, names);
  const hint =
    nearest.length === 0 ? '' : ` The nearest ${nearest.length === 1 ? 'is' : 'are'} ${nearest.join(', ')}.`;
  const question = `There is no org ${desk.org} yet.${hint}`;
  const howTo = `${question} Give --new-org to begin it.`;
  const refusal = new CommandFailure(howTo, exitCodes.usage, { code: 'org_unknown', org: desk.org, nearest });
  if (yes || !desk.canAsk) throw refusal;
  await desk.confirm(`${question} Begin it?`);
}

async function isThere(desk: Desk): Promise<boolean> {
  return desk.api.call('GET', desk.orgPath()).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CommandFailure && error.facts.missing === 'org') return false;
      throw error;
    },
  );
}

/** The names that somebody may have meant, the most likely first. */
export function nearestNames(name: string, names: readonly string[]): string[] {
  const wanted = name.toLowerCase();
  const most = Math.max(1, Math.ceil(wanted.length / 3));
  return names
    .map((one) => ({ one, steps: stepsBetween(wanted, one.toLowerCase()) }))
    .filter(({ one, steps }) => steps <= most || (wanted.length > 2 && one.toLowerCase().startsWith(wanted)))
    .sort((a, b) => a.steps - b.steps || (a.one < b.one ? -1 : 1))
    .slice(0, NEAREST_TOLD)
    .map(({ one }) => one);
}

/** How many letters were left out, added, changed or swapped with the next one. */
function stepsBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const changed = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          changed,
          at(i - 1, j) + 1,
          (row[j - 1] ?? 0) + 1,
          isSwapped ? at(i - 2, j - 2) + 1 : changed,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
