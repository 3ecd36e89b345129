/** Reads `REDIS_URL`: one server, a master that Sentinels watch, or a cluster. Pure; connects to nothing. */

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisCredentials {
  readonly username?: string;
  readonly password?: string;
}

interface TargetBase {
  /** TLS to everything: servers, and Sentinels too. */
  readonly isEncrypted: boolean;
  /** The server, the Sentinels, or some nodes of the cluster: at least one. */
  readonly addresses: readonly RedisAddress[];
  /** For the servers. */
  readonly credentials: RedisCredentials;
  readonly db: number;
  /** The family of addresses that host names are looked up in; 0 for either. */
  readonly family: 0 | 4 | 6;
  /** How many options behind `?` mean nothing here, as those that platforms add for other libraries. */
  readonly unusedOptions: number;
}

export type RedisTarget =
  | (TargetBase & { readonly kind: 'single' | 'cluster' })
  | (TargetBase & {
      readonly kind: 'sentinel';
      readonly masterName: string;
      readonly sentinelCredentials: RedisCredentials;
    });

const form =
  /^(?<scheme>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<user>[^/?#]*)@)?(?<hosts>[^/?#@]*)(?:\/(?<path>[^?#@]*))?(?:\?(?<query>[^#@]*))?$/;
const addressForm = /^(?<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?<port>\d{1,5}))?$/;
const defaultPorts = { single: 6379, sentinel: 26379, cluster: 6379 } as const;
const sentinelOptions = ['sentinelUsername', 'sentinelPassword'];

/** Throws an Error whose message says what is wrong, and never holds a part of the URL: it may be a password. */
export function parseRedisUrl(text: string): RedisTarget {
  const parts = form.exec(text)?.groups;
  if (parts === undefined) throw new Error(problemOfForm(text));
  const kind = (parts.kind ?? 'single') as RedisTarget['kind'];
  const addresses = (parts.hosts ?? '').split(',').map((one) => readAddress(one, defaultPorts[kind]));
  if (kind === 'single' && addresses.length > 1)
    throw new Error('names several addresses: begin with redis+sentinel:// or redis+cluster://');
  const path = (parts.path ?? '').split('/').map(decoded);
  const query = new URLSearchParams(parts.query ?? '');
  const options = readOptions(query, kind === 'sentinel' ? sentinelOptions : []);
  const base = {
    isEncrypted: parts.scheme === 'rediss' || options.isEncrypted,
    addresses,
    credentials: readCredentials(parts.user ?? ''),
    family: options.family,
    unusedOptions: options.unusedOptions,
  };
  if (kind === 'sentinel') {
    const [masterName = '', db = '', ...rest] = path;
    if (masterName === '')
      throw new Error("needs the master's name after the Sentinels: redis+sentinel://host:26379/name");
    const [username, password] = sentinelOptions.map((name) => query.get(name) ?? '');
    const sentinelCredentials = credentials(username ?? '', password ?? '');
    return { kind, ...base, db: readDb(db || options.db, rest), masterName, sentinelCredentials };
  }
  const [first = '', ...rest] = path;
  const db = readDb(first || options.db, rest);
  if (kind === 'cluster' && db !== 0) throw new Error('names a database: a cluster has database 0 only');
  return { kind, ...base, db };
}

/** Reads `host:port=host:port`: where a server that names itself so is reached from here. Throws an Error that says what is wrong. */
export function readMapping(text: string): { readonly from: string; readonly to: RedisAddress } {
  const [from = '', to = '', ...rest] = text.split('=').map((one) => one.trim());
  if (rest.length > 0 || to === '') throw new Error('must be a list of host:port=host:port');
  const { host, port } = readAddress(from, 6379);
  return { from: `${host}:${port}`, to: readAddress(to, 6379) };
}

/** Whether what is sent stays on this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** The URL as it may be shown: without passwords. Of one that is malformed nothing is: nobody knows what is the password in it. */
export function withoutPasswords(text: string): string {
  try {
    parseRedisUrl(text);
  } catch {
    return '(not a Redis URL)';
  }
  const { user, query = '' } = form.exec(text)?.groups ?? {};
  const bare = text.slice(0, query === '' ? undefined : -query.length);
  const named = user === undefined ? bare : bare.replace(`${user}@`, () => `${user.split(':', 1)[0]}:***@`);
  return named + query.split('&').map(withoutValue).join('&');
}

/** Options of which the values are no secrets; those of other libraries may have passwords of any name. */
const plainOptions = ['db', 'database', 'tls', 'ssl', 'family', 'sentinelusername'];

function withoutValue(option: string): string {
  const [name = '', ...value] = option.split('=');
  if (option === '' || plainOptions.includes(name.toLowerCase())) return option;
  return value.length === 0 ? '***' : `${name}=***`;
}

function problemOfForm(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'is not a URL';
  if (/^rediss?(\+(sentinel|cluster))?:\/\//.test(text))
    return 'is malformed: write characters like / ? # @ in a name or password as %2F %3F %23 %40';
  return 'must begin with redis://, redis+sentinel:// or redis+cluster://, or with rediss for TLS';
}

function readAddress(text: string, defaultPort: number): RedisAddress {
  const parts = addressForm.exec(text)?.groups;
  const port = Number(parts?.port ?? defaultPort);
  if (parts?.host === undefined || port < 1 || port > 65_535)
    throw new Error('has an address that is not host:port; separate several by commas');
  return { host: parts.host.replace(/^\[|\]$/g, ''), port };
}

function readCredentials(text: string): RedisCredentials {
  const colon = text.indexOf(':');
  const [username, password] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  return credentials(decoded(username), decoded(password));
}

function credentials(username: string, password: string): RedisCredentials {
  if (username !== '' && password === '')
    throw new Error('has a user without a password; a password alone is written :password@');
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function readDb(text: string, rest: readonly string[]): number {
  if (!/^\d{0,5}$/.test(text) || rest.length > 0)
    throw new Error('has a path that is not the number of a database');
  return Number(text);
}

const isOn = /^(true|yes|on|1|required|verify-.*)$/i;

/** What options behind `?` ask for; names are compared without case. Those of other libraries are counted, and do nothing. */
function readOptions(query: URLSearchParams, known: readonly string[]) {
  const asked = { isEncrypted: false, family: 0 as 0 | 4 | 6, db: '', unusedOptions: 0 };
  for (const [name, value] of query) {
    switch (name.toLowerCase()) {
      case 'db':
      case 'database':
        asked.db = value;
        break;
      case 'tls':
      case 'ssl':
        asked.isEncrypted ||= isOn.test(value);
        break;
      case 'family':
        asked.family = value === '4' || value === '6' ? (Number(value) as 4 | 6) : 0;
        break;
      case 'user':
      case 'username':
      case 'password':
      case 'auth':
        throw new Error('has a user or a password behind the ?: they stand before the host, user:password@');
      default:
        if (!known.includes(name)) asked.unusedOptions++;
    }
  }
  return asked;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a % that begins no escape; write it as %25');
  }
}
