/**
 * The one table of settings. The parser, `config print`, `config check` and docs/settings.md derive from it.
 */
type Kind =
  | 'text'
  | 'secret'
  | 'url'
  | 'port'
  | 'count'
  | 'durationMs'
  | 'bytes'
  | 'list'
  | 'choice'
  | 'flag'
  | 'file';

export interface SettingSpec {
  readonly name: string;
  readonly kind: Kind;
  readonly default: string;
  readonly doc: string;
  readonly choices?: readonly string[];
}

const spec = <const N extends string, const K extends Kind>(
  name: N,
  kind: K,
  defaultText: string,
  doc: string,
  choices?: readonly string[],
) => ({ name, kind, default: defaultText, doc, ...(choices && { choices }) });

export const settingsTable = {
  redisUrl: spec(
    'REDIS_URL',
    'url',
    '',
    'Where Redis is: `redis://[user:password@]host:port[/db]`, `redis+sentinel://[user:password@]host:port,…/master[/db]` or `redis+cluster://[user:password@]host:port,…`; with `rediss` for TLS. `serve` refuses to start without it.',
  ),
  host: spec('SOLESEAT_HOST', 'text', '0.0.0.0', 'Public address, for clients. `dev`: 127.0.0.1.'),
  port: spec('SOLESEAT_PORT', 'port', '8080', 'Public port; 0 picks a free one.'),
  adminHost: spec('SOLESEAT_ADMIN_HOST', 'text', '127.0.0.1', 'Admin address.'),
  adminPort: spec('SOLESEAT_ADMIN_PORT', 'port', '9090', 'Admin port; 0 picks a free one.'),
  jwtSecret: spec(
    'SOLESEAT_JWT_SECRET',
    'secret',
    '',
    'HS256 secret of at least 32 bytes. This, or SOLESEAT_JWT_KEYS.',
  ),
  jwtKeysFile: spec(
    'SOLESEAT_JWT_KEYS',
    'file',
    '',
    'A JWKS file: several keys, told apart by `kid`, for rotation.',
  ),
  jwtIssuer: spec('SOLESEAT_JWT_ISSUER', 'text', 'soleseat', 'The `iss` that a client token must have.'),
  jwtAudience: spec('SOLESEAT_JWT_AUDIENCE', 'text', 'soleseat', 'The `aud` that a client token must have.'),
  adminJwtAudience: spec(
    'SOLESEAT_ADMIN_JWT_AUDIENCE',
    'text',
    'soleseat-admin',
    'The `aud` that an admin token must have.',
  ),
  licenseMode: spec(
    'SOLESEAT_LICENSE_MODE',
    'choice',
    'required',
    'For orgs without a setting of their own: `required` (a license must have been issued), `auto` (the first claim issues one while the quota lasts) or `open` (none needed). `dev`: open.',
    ['required', 'auto', 'open'],
  ),
  leaseTtlMs: spec('SOLESEAT_LEASE_TTL_MS', 'durationMs', '30000', 'Life of a lease without renewal.'),
  renewEveryMs: spec(
    'SOLESEAT_RENEW_EVERY_MS',
    'durationMs',
    '10000',
    'Time between two renewals, and between two pings.',
  ),
  jeopardyGraceMs: spec(
    'SOLESEAT_JEOPARDY_GRACE_MS',
    'durationMs',
    '60000',
    'How long past its deadline a session is kept while Redis is out of reach; 0 = strict.',
  ),
  commandTimeoutMs: spec(
    'SOLESEAT_COMMAND_TIMEOUT_MS',
    'durationMs',
    '2000',
    'Longest wait for a Redis reply. The TTL must be above three times this.',
  ),
  keyPrefix: spec('SOLESEAT_KEY_PREFIX', 'text', 'soleseat:', 'Prefix of all keys and channels in Redis.'),
  takeoversPerMinute: spec(
    'SOLESEAT_TAKEOVERS_PER_MINUTE',
    'count',
    '20',
    'Takeovers of one user a minute before `flapping`; 0 = no limit.',
  ),
  claimsPerMinute: spec(
    'SOLESEAT_CLAIMS_PER_MINUTE',
    'count',
    '120',
    'Claims of one user a minute, over all nodes and refused ones included, before close 4429; 0 = no limit, as where SOLESEAT_TAKEOVERS_PER_MINUTE is 0.',
  ),
  eventsKept: spec(
    'SOLESEAT_EVENTS_KEPT',
    'count',
    '250000',
    'About how many events of sessions and refusals an org keeps at most.',
  ),
  sessionsKeptMs: spec(
    'SOLESEAT_SESSIONS_KEPT',
    'durationMs',
    '90d',
    'For how long events of sessions and refusals are kept, within SOLESEAT_EVENTS_KEPT; 0 = for ever.',
  ),
  actsKeptMs: spec(
    'SOLESEAT_ACTS_KEPT',
    'durationMs',
    '3650d',
    'For how long events about licenses, orgs and rules are kept, whatever else happens; 0 = for ever.',
  ),
  logUsers: spec(
    'SOLESEAT_LOG_USERS',
    'choice',
    'hashed',
    'How the log names users: `hashed` (docs/operations.md says how to find one) or `plain`.',
    ['hashed', 'plain'],
  ),
  webhooksToPrivate: spec(
    'SOLESEAT_WEBHOOKS_TO_PRIVATE',
    'flag',
    'false',
    'Whether webhooks may lead into private networks, and over plain http. `dev`: true.',
  ),
  sweepEveryMs: spec(
    'SOLESEAT_SWEEP_EVERY_MS',
    'durationMs',
    '500',
    'Time between two sweeps of expired sessions out of the counts.',
  ),
  probeEveryMs: spec(
    'SOLESEAT_PROBE_EVERY_MS',
    'durationMs',
    '5000',
    "Time between two liveness probes of the node's own pub/sub inbox.",
  ),
  helloTimeoutMs: spec(
    'SOLESEAT_HELLO_TIMEOUT_MS',
    'durationMs',
    '5000',
    'Time for a complete `hello` before close 4408.',
  ),
  tokenWarningMs: spec(
    'SOLESEAT_TOKEN_WARNING_MS',
    'durationMs',
    '60000',
    'How long before a token ends `token_expiring` is sent; at half of what is left where that is less.',
  ),
  drainMs: spec(
    'SOLESEAT_DRAIN_MS',
    'durationMs',
    '10000',
    'On SIGTERM, sessions are moved spread over this time. `dev`: 1000.',
  ),
  connectionsPerAddress: spec(
    'SOLESEAT_CONNECTIONS_PER_ADDRESS',
    'count',
    '5000',
    'Open connections from one address (an office sits behind one; in IPv6, from one /64 network); 0 = no limit, as behind a load balancer that hides the addresses.',
  ),
  handshakesPerAddress: spec(
    'SOLESEAT_HANDSHAKES_PER_ADDRESS',
    'count',
    '20000',
    'Handshakes from one address a minute on this node, refused ones included, the rest get 429; 0 = no limit, as where SOLESEAT_CONNECTIONS_PER_ADDRESS is 0.',
  ),
  handshakesPerSecond: spec(
    'SOLESEAT_HANDSHAKES_PER_SECOND',
    'count',
    '2000',
    'Handshakes a second on this node, the rest get 503; 0 = no limit.',
  ),
  messageBytes: spec('SOLESEAT_MESSAGE_BYTES', 'bytes', '16384', 'Largest message from a client.'),
  queueBytes: spec(
    'SOLESEAT_QUEUE_BYTES',
    'bytes',
    '65536',
    'Unsent bytes of one connection before close 4008.',
  ),
  messagesPerRenewal: spec(
    'SOLESEAT_MESSAGES_PER_RENEWAL',
    'count',
    '100',
    'Messages and pings of one connection per renewal interval before close 4429.',
  ),
  origins: spec(
    'SOLESEAT_ORIGINS',
    'list',
    '',
    'Origins (comma separated) whose browsers may connect. Empty: none; requests without Origin are programs and pass.',
  ),
  metricsEveryMs: spec(
    'SOLESEAT_METRICS_EVERY_MS',
    'durationMs',
    '10000',
    'Time between two looks at Redis for its metrics and those of licenses.',
  ),
  metricsOrgs: spec(
    'SOLESEAT_METRICS_ORGS',
    'count',
    '50',
    'Orgs with license metrics of their own; those beyond are summed.',
  ),
  otlpEndpoint: spec(
    'SOLESEAT_OTLP_ENDPOINT',
    'url',
    '',
    'Where traces go by OTLP over HTTP, like `http://127.0.0.1:4318`. Empty: no traces.',
  ),
  tlsCertFile: spec(
    'SOLESEAT_TLS_CERT',
    'file',
    '',
    'A PEM file with the certificate of the public port, then those between it and its root. With SOLESEAT_TLS_KEY, clients connect by `wss://`.',
  ),
  tlsKeyFile: spec(
    'SOLESEAT_TLS_KEY',
    'file',
    '',
    "A PEM file with that certificate's private key, not encrypted.",
  ),
  redisServer: spec(
    'SOLESEAT_REDIS_SERVER',
    'text',
    '',
    'Path of the redis-server that `dev` and the tests start; empty: the PATH, else provisioned.',
  ),
  plaintextRedis: spec(
    'SOLESEAT_ALLOW_PLAINTEXT_REDIS',
    'flag',
    'false',
    'Allow a `REDIS_URL` without TLS to an address that is not loopback.',
  ),
  adminUrl: spec(
    'SOLESEAT_ADMIN_URL',
    'text',
    'http://127.0.0.1:9090',
    'For the commands that ask a broker: its admin address. Read from the environment only, and not by the broker.',
  ),
  adminToken: spec(
    'SOLESEAT_ADMIN_TOKEN',
    'secret',
    '',
    'For the commands that ask a broker: the admin token. Read from the environment only, and not by the broker.',
  ),
  logLevel: spec('SOLESEAT_LOG_LEVEL', 'choice', 'info', 'Least severe level that is logged. `dev`: warn.', [
    'debug',
    'info',
    'warn',
    'error',
    'silent',
  ]),
} as const;

type Table = typeof settingsTable;
type ValueOf<K extends Kind> = K extends 'port' | 'count' | 'durationMs' | 'bytes'
  ? number
  : K extends 'list'
    ? readonly string[]
    : K extends 'flag'
      ? boolean
      : string;
export type Settings = { readonly [P in keyof Table]: ValueOf<Table[P]['kind']> };

/** Values as texts by the setting's name, as in the environment. */
export type SettingTexts = Readonly<Record<string, string | undefined>>;

export interface SettingFault {
  readonly setting: string;
  /** What is wrong and what would be right. Never the value. */
  readonly problem: string;
}
