import { claimMapping } from '../auth/claim-mapping.js';
import type { KeyRing, VerificationKey } from '../auth/keys.js';
import {
  createAdminTokenVerifier,
  createTokenVerifier,
  mintAdminToken,
  mintToken,
  type Role,
} from '../auth/tokens.js';
import { isPlainText } from '../protocol/text.js';
import type { Configuration } from './configuration.js';
import { CommandFailure, exitCodes } from './failure.js';

export interface TokenOptions {
  readonly user: string;
  readonly org: string;
  readonly name?: string;
  readonly expiresInSeconds: number;
  readonly kid?: string;
}

export interface AdminTokenOptions {
  readonly subject: string;
  readonly role: Role;
  /** An org, or `*` for all of them. */
  readonly org: string;
  readonly expiresInSeconds: number;
  readonly kid?: string;
}

/** A client token signed with the broker's own key: for trying out and for tests. */
export function mint(configuration: Configuration, options: TokenOptions): string {
  const { settings } = configuration;
  return mintToken({
    key: signingKey(configuration.keys, options.kid),
    mapping: claimMapping(settings),
    user: options.user,
    org: options.org,
    issuer: settings.jwtIssuer,
    audience: settings.jwtAudience,
    expiresInSeconds: options.expiresInSeconds,
    ...(options.name !== undefined && { name: options.name }),
  });
}

/** An admin token signed with the broker's own key. */
export function mintAdmin(configuration: Configuration, options: AdminTokenOptions): string {
  const { settings } = configuration;
  return mintAdminToken({
    key: signingKey(configuration.adminKeys ?? configuration.keys, options.kid),
    subject: options.subject,
    role: options.role,
    org: options.org,
    issuer: settings.jwtIssuer,
    audience: settings.adminJwtAudience,
    expiresInSeconds: options.expiresInSeconds,
  });
}

/** Throws where the broker itself would refuse the token: better now than at every attempt to use it. */
export function checkMinted(
  configuration: Configuration,
  token: string,
  isAdmin: boolean,
  name?: string,
): void {
  const { settings, adminKeys } = configuration;
  const keys = (isAdmin ? adminKeys : null) ?? configuration.keys;
  if (keys === null) throw providerSigns();
  const audience = isAdmin ? settings.adminJwtAudience : settings.jwtAudience;
  const rules = { keys, issuer: settings.jwtIssuer, audience };
  const verifier = isAdmin
    ? createAdminTokenVerifier(rules)
    : createTokenVerifier({ ...rules, mapping: claimMapping(settings) });
  const verdict = verifier.verify(token);
  // The broker would leave the name out, which is not what was asked for.
  const isNameless = name !== undefined && !isPlainText(name);
  if (verdict.ok && !isNameless) return;
  const claimFault = verdict.ok
    ? 'name is not proper text'
    : `${verdict.claim ?? ''} ${verdict.problem ?? verdict.reason}`;
  const fault = claimFault.trim();
  throw new CommandFailure(
    `the broker would refuse this token (${fault}): a user, an org and a name have 1 to 256 bytes, without control characters, an org has no braces, and the role owner is for all orgs: --org '*'`,
    exitCodes.usage,
  );
}

function signingKey(keys: KeyRing | null, kid: string | undefined): VerificationKey {
  if (keys === null) throw providerSigns();
  const key = keys.keys.find((one) => one.signingKey !== null && (kid === undefined || one.kid === kid));
  if (key !== undefined) return key;
  throw new CommandFailure(
    'no such key can sign: the key file holds public keys only, or no key of that kid',
    exitCodes.config,
  );
}

function providerSigns(): CommandFailure {
  return new CommandFailure(
    'the identity provider signs these tokens; for admin tokens give SOLESEAT_ADMIN_JWT_SECRET or SOLESEAT_ADMIN_JWT_KEYS',
    exitCodes.config,
  );
}
