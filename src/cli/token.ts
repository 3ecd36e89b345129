import { mintToken } from '../auth/tokens.js';
import type { Configuration } from './configuration.js';
import { CommandFailure, exitCodes } from './failure.js';

export interface TokenOptions {
  readonly user: string;
  readonly org: string;
  readonly name?: string;
  readonly expiresInSeconds: number;
  readonly kid?: string;
}

/** A client token signed with the broker's own key: for trying out and for tests. */
export function mint({ settings, keys }: Configuration, options: TokenOptions): string {
  const key = keys.keys.find(
    (one) => one.signingKey !== null && (options.kid === undefined || one.kid === options.kid),
  );
  if (key === undefined)
    throw new CommandFailure(
      'no such key can sign: the key file holds public keys only, or no key of that kid',
      exitCodes.config,
    );
  return mintToken({
    key,
    user: options.user,
    org: options.org,
    issuer: settings.jwtIssuer,
    audience: settings.jwtAudience,
    expiresInSeconds: options.expiresInSeconds,
    ...(options.name !== undefined && { name: options.name }),
  });
}
