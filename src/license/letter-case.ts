import type { Actor } from '../store/license-types.js';
import type { Orgs } from '../store/orgs.js';
import type { Spellings } from '../store/spellings.js';

interface Parts {
  readonly orgs: Orgs;
  readonly spellings: Spellings;
}

/**
 * Lets an org ignore the case of user names: `change` sets it. Gives the users who differ only so; then it is not set. Who
 * comes in while the names are gathered is found by the second look, and the setting is taken back if need be.
 */
export async function ignoreLetterCase(
  { orgs, spellings }: Parts,
  { org, actor }: { readonly org: string; readonly actor: Actor },
  change: () => Promise<void>,
): Promise<readonly (readonly string[])[]> {
  const isOn = await spellings.ignoresCase(org);
  const clashes = await spellings.gather(org, { keepsKnown: isOn });
  if (clashes.length > 0) return clashes;
  await change();
  const late = await spellings.gather(org, { keepsKnown: true });
  if (late.length > 0 && !isOn) await orgs.change(org, { letterCase: null }, actor);
  return late;
}
