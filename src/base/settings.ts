/**
 * The one table of settings. The parser, `config print`, `config check` and docs/settings.md derive from it.
 * Parsing is pure: nothing here reads the environment or ends the process.
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
  eventsKept: spec('SOLESEAT_EVENTS_KEPT', 'count', '10000', 'About how many audit events an org keeps.'),
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
    'How long before a token ends `token_expiring` is sent.',
  ),
  drainMs: spec(
    'SOLESEAT_DRAIN_MS',
    'durationMs',
    '10000',
    'On SIGTERM, sessions are moved spread over this time.',
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
  logLevel: spec('SOLESEAT_LOG_LEVEL', 'choice', 'info', 'Least severe level that is logged.', [
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

/** Reads all settings. Gives every fault at once; unknown `SOLESEAT_` names are faults too. */
export function parseSettings(
  texts: SettingTexts,
):
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: readonly SettingFault[] } {
  const faults: SettingFault[] = unknownNames(texts).map((setting) => ({
    setting,
    problem: 'no such setting; `soleseat config print` lists them',
  }));
  const values: Record<string, unknown> = {};
  for (const [property, one] of Object.entries(settingsTable)) {
    try {
      values[property] = readValue(one, texts[one.name] ?? one.default);
    } catch (error) {
      faults.push({ setting: one.name, problem: (error as Error).message });
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, settings: values as Settings };
}

function unknownNames(texts: SettingTexts): string[] {
  const known = new Set<string>(Object.values(settingsTable).map((one) => one.name));
  // Kubernetes injects SOLESEAT_SERVICE_HOST, SOLESEAT_PORT_8080_TCP and the like for a service of this name.
  const injected =
    /^SOLESEAT(_[A-Z0-9]+)*_(SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;
  return Object.keys(texts).filter(
    (name) => name.startsWith('SOLESEAT_') && !known.has(name) && !injected.test(name),
  );
}

const wholeNumber = /^\d{1,15}$/;
const duration = /^(\d{1,12})(ms|s|m|h)?$/;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function readValue(one: SettingSpec, text: string): unknown {
  switch (one.kind) {
    case 'port':
      return whole(text, 65_535);
    case 'count':
    case 'bytes':
      return whole(text, Number.MAX_SAFE_INTEGER);
    case 'durationMs': {
      const parts = duration.exec(text);
      if (parts === null) throw new Error('must be a duration in milliseconds, or like 500ms, 30s, 5m, 1h');
      return Number(parts[1]) * (unitMs[parts[2] ?? 'ms'] ?? 1);
    }
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'flag':
      if (text !== 'true' && text !== 'false') throw new Error('must be true or false');
      return text === 'true';
    case 'choice':
      if (!one.choices?.includes(text)) throw new Error(`must be one of ${one.choices?.join(', ')}`);
      return text;
    default:
      return text;
  }
}

function whole(text: string, max: number): number {
  if (!wholeNumber.test(text) || Number(text) > max)
    throw new Error(`must be a whole number from 0 to ${max}`);
  return Number(text);
}
