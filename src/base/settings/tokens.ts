import { spec } from './spec.js';

/** Tokens: keys, and which claims count. */
export const tokensSettings = {
  jwtSecret: spec(
    'SOLESEAT_JWT_SECRET',
    'secret',
    '',
    'HS256 secret of at least 32 bytes. This, or SOLESEAT_JWT_KEYS, SOLESEAT_JWKS_URL or SOLESEAT_OIDC_ISSUER.',
  ),
  jwtKeysFile: spec(
    'SOLESEAT_JWT_KEYS',
    'file',
    '',
    'A file with keys: a JWKS, where they are told apart by `kid`, or PEM. Read again when it changes.',
  ),
  jwksUrl: spec(
    'SOLESEAT_JWKS_URL',
    'text',
    '',
    "Where the identity provider's keys are (a JWKS), by https; by http only on this machine.",
  ),
  oidcIssuer: spec(
    'SOLESEAT_OIDC_ISSUER',
    'text',
    '',
    'The identity provider, whose keys are found by OpenID discovery; by https, by http only on this machine.',
  ),
  jwtIssuer: spec(
    'SOLESEAT_JWT_ISSUER',
    'text',
    'soleseat',
    'The `iss` that a client token must have. With SOLESEAT_OIDC_ISSUER: what the provider calls itself.',
  ),
  jwtAudience: spec('SOLESEAT_JWT_AUDIENCE', 'text', 'soleseat', 'The `aud` that a client token must have.'),
  jwtLeewayMs: spec(
    'SOLESEAT_JWT_LEEWAY_MS',
    'durationMs',
    '60000',
    'How far the clocks of issuers may be ahead, for `nbf` and `iat`. `exp` has no leeway.',
  ),
  claims: spec(
    'SOLESEAT_CLAIMS',
    'choice',
    'soleseat',
    'Which claims of a client token are the user, the org and the display name: as a back end of your own writes them (`sub`, `org`, `name`), or as the named identity provider does (docs/identity.md).',
    ['soleseat', 'keycloak', 'entra', 'auth0', 'okta'],
  ),
  claimUser: spec(
    'SOLESEAT_CLAIM_USER',
    'text',
    '',
    'The claim that is the user, in place of that of SOLESEAT_CLAIMS: its name, or a dotted path to it.',
  ),
  claimOrg: spec(
    'SOLESEAT_CLAIM_ORG',
    'text',
    '',
    'The claim that is the org, likewise: a text, a list of one, or an object of one key.',
  ),
  claimName: spec('SOLESEAT_CLAIM_NAME', 'text', '', 'The claim that is the display name, likewise.'),
  defaultOrg: spec(
    'SOLESEAT_DEFAULT_ORG',
    'text',
    '',
    'The org of client tokens that name none, and the one that is meant where they name several.',
  ),
  tokenLifeMaxMs: spec(
    'SOLESEAT_TOKEN_LIFE_MAX_MS',
    'durationMs',
    '0',
    'How long a client token may live; one that lives longer is refused. A revocation of tokens is remembered for so long. 0 = no limit, and revocations are remembered for a day.',
  ),
  tokenWarningMs: spec(
    'SOLESEAT_TOKEN_WARNING_MS',
    'durationMs',
    '60000',
    'How long before a token ends `token_expiring` is sent; at half of what is left where that is less.',
  ),
  ticketKeysFile: spec(
    'SOLESEAT_TICKET_KEYS',
    'file',
    '',
    'A file with the private ES256 keys that sign tickets: a JWKS, or PEM. The first one signs; all stay good. Read again when it changes. Without it there are no tickets.',
  ),
  ticketIssuer: spec('SOLESEAT_TICKET_ISSUER', 'text', 'soleseat', 'The `iss` of the tickets.'),
  adminJwtSecret: spec(
    'SOLESEAT_ADMIN_JWT_SECRET',
    'secret',
    '',
    'HS256 secret of at least 32 bytes for admin tokens, where the keys of clients are an identity provider’s.',
  ),
  adminJwtKeysFile: spec(
    'SOLESEAT_ADMIN_JWT_KEYS',
    'file',
    '',
    'A file with the keys of admin tokens, likewise.',
  ),
  adminJwtAudience: spec(
    'SOLESEAT_ADMIN_JWT_AUDIENCE',
    'text',
    'soleseat-admin',
    'The `aud` that an admin token must have.',
  ),
} as const;
