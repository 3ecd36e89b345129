import type { GateVerdict, TokenGate } from '../auth/gate.js';
import type { ClientClaims } from '../auth/tokens.js';
import type { Log } from '../base/log.js';
import { caseFolded } from '../protocol/text.js';

/** A new token must wait for Redis: it tells whether two names are one person. */
const AGAIN_MS = 2000;

interface RefreshParts {
  readonly gate: Pick<TokenGate<ClientClaims>, 'judge'>;
  /** By which name the org knows a user. */
  readonly knownAs: (org: string, user: string) => Promise<string>;
  readonly log: Log;
}

/**
 * Whether a new token is of the person of the connection: by the same name, or by one that the org takes for the same (after a
 * renaming, or where it ignores case). Never rejects.
 */
export async function judgeRefresh(
  token: string,
  person: { readonly org: string | undefined; readonly names: readonly (string | undefined)[] },
  { gate, knownAs, log }: RefreshParts,
): Promise<GateVerdict<ClientClaims>> {
  const names = person.names.filter((name) => name !== undefined);
  const alike = names.map(caseFolded);
  const verdict = gate.judge(
    token,
    'refresh',
    ({ user, org }) => org === person.org && alike.includes(caseFolded(user)),
  );
  if (!verdict.ok || names.includes(verdict.claims.user)) return verdict;
  const { org, user } = verdict.claims;
  try {
    const [now, ...known] = await Promise.all([user, ...names].map((name) => knownAs(org, name)));
    return known.includes(now ?? '') ? verdict : gate.judge(token, 'refresh', () => false);
  } catch (error) {
    log.warn({ org, reason: String(error) }, 'a new token is not judged yet');
    return { ok: false, reason: 'other_subject', retryAfterMs: AGAIN_MS };
  }
}
