/** Why Redis is of no use at present, in one word: the label of the metric, and what `/readyz` names. */
export type CauseKind =
  | 'refused'
  | 'timeout'
  | 'late'
  | 'dns'
  | 'no_route'
  | 'certificate'
  | 'not_redis'
  | 'wrong_password'
  | 'protected_mode'
  | 'no_permission'
  | 'too_many_clients'
  | 'loading'
  | 'busy'
  | 'full'
  | 'read_only'
  | 'too_few_replicas'
  | 'disk'
  | 'cluster_down'
  | 'wrong_topology'
  | 'no_master'
  | 'master_down'
  | 'lost';

export interface Cause {
  readonly kind: CauseKind;
  /** What Redis says, in an error reply. */
  readonly replies?: RegExp;
  /** What Node or ioredis says. */
  readonly failures?: RegExp;
  /** A sentence for everybody: it names no host, no user and no secret. */
  readonly says: string;
  /** What the operator does next. */
  readonly next: string;
  /** Redis answers, and refuses to write. */
  readonly refusesWrites?: true;
}

/**
 * The one table of causes for which Redis is out of reach or refuses its service. Each of them is mended by time or by
 * an operator (promise 17). The first row that fits decides, so what is special stands above what is general.
 *
 * From a script, Redis before 7 puts the word of its error further back, behind a dash.
 */
export const causes: readonly Cause[] = [
  {
    kind: 'certificate',
    failures: /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECODE|DECRYPT)|HOSTNAME_MISMATCH|certificate/,
    says: 'Redis is out of reach: its certificate is not accepted, or it does not accept ours',
    next: 'Is its certificate valid, made for the host in REDIS_URL, and known to this machine (NODE_EXTRA_CA_CERTS)?',
  },
  {
    kind: 'not_redis',
    failures: /Unknown RESP type|Protocol error|ERR_SSL_|EPROTO|wrong version number/,
    says: 'Redis is out of reach: what answers at its address speaks another protocol',
    next: 'Does REDIS_URL name the port of Redis? It begins with rediss:// where Redis speaks TLS, else with redis://.',
  },
  {
    kind: 'wrong_password',
    replies: /^(NOAUTH|WRONGPASS)\b|invalid password|without any password configured/,
    says: 'Redis is out of reach: it does not accept the user or the password',
    next: 'Give the user in Redis the password that REDIS_URL has, or restart the nodes with the new one.',
  },
  {
    kind: 'protected_mode',
    replies: /^DENIED\b/,
    says: 'Redis is out of reach: it is in protected mode and lets only its own machine in',
    next: 'Give Redis a password, and put it into REDIS_URL.',
  },
  {
    kind: 'no_permission',
    // A script that may not do something says so without the word before Redis 7, and in other words from Redis 7.2 on.
    replies: /(^|[\s-])NOPERM\b|The user executing the script can't|ACL failure in script/,
    says: 'Redis refuses its service: the user of REDIS_URL lacks a right in Redis',
    next: 'docs/operations.md has the ACL line that the broker needs.',
    refusesWrites: true,
  },
  {
    kind: 'too_many_clients',
    replies: /max number of clients/,
    says: 'Redis is out of reach: it has as many connections as it may have',
    next: 'Raise maxclients, or see in CLIENT LIST who holds the connections.',
  },
  {
    kind: 'loading',
    replies: /^LOADING\b/,
    says: 'Redis is out of reach: it is still reading its data from the disk',
    next: 'Wait until it has read them; INFO persistence tells how far it is.',
  },
  {
    kind: 'busy',
    replies: /^(BUSY|UNKILLABLE)\b/,
    says: 'Redis is out of reach: one long script holds it',
    next: 'SLOWLOG GET and its own log name the script; SCRIPT KILL ends one that has not written yet.',
  },
  {
    kind: 'full',
    replies: /(^|[\s-])OOM\b/,
    says: 'Redis is out of memory',
    next: 'Raise maxmemory. Open sessions go on meanwhile; new ones are refused.',
    refusesWrites: true,
  },
  {
    kind: 'read_only',
    replies: /(^|[\s-])READONLY\b|^UNBLOCKED\b/,
    says: 'Redis takes no writes: this server is a replica',
    next: 'After a failover this passes by itself. Else name the master in REDIS_URL, or begin it with redis+sentinel://.',
    refusesWrites: true,
  },
  {
    kind: 'too_few_replicas',
    replies: /(^|[\s-])NOREPLICAS\b/,
    says: 'Redis takes no writes: too few replicas follow it',
    next: 'Bring the replicas back, or lower min-replicas-to-write.',
    refusesWrites: true,
  },
  {
    kind: 'disk',
    replies: /(^|[\s-])MISCONF\b/,
    says: 'Redis takes no writes: it cannot write to its disk',
    next: 'Is the disk full, or may Redis not write there? The log of Redis says why.',
    refusesWrites: true,
  },
  {
    kind: 'master_down',
    replies: /(^|[\s-])MASTERDOWN\b/,
    says: 'Redis is out of reach: this server is a replica that has lost its master',
    next: 'Bring its master back, or let a replica take over.',
  },
  {
    kind: 'no_master',
    replies: /No such master|^IDONTKNOW\b|^NOQUORUM\b/,
    says: 'Redis is out of reach: no Sentinel names a master',
    next: "SENTINEL MASTERS at a Sentinel lists the names it knows; REDIS_URL ends with the master's name.",
  },
  {
    kind: 'cluster_down',
    replies: /(^|[\s-])(CLUSTERDOWN|TRYAGAIN)\b/,
    failures: /Too many Cluster redirections/,
    says: 'Redis is out of reach: the cluster does not serve all of its slots',
    next: 'CLUSTER NODES at one of its nodes names the master that is missing; it passes by itself while slots move.',
  },
  {
    kind: 'wrong_topology',
    replies: /^(MOVED|ASK)\b|cluster support disabled/,
    says: 'Redis is out of reach: REDIS_URL names another kind of Redis than stands there',
    next: 'It begins with redis+cluster:// for a cluster, with redis+sentinel:// for Sentinels, else with redis://.',
  },
  {
    kind: 'late',
    replies: /^LATE\b/,
    says: 'Redis is out of reach: it came to a command only after its time',
    next: 'Redis, this node or the network is too slow for SOLESEAT_COMMAND_TIMEOUT_MS: see SLOWLOG GET and the load.',
  },
  {
    kind: 'refused',
    failures: /ECONNREFUSED|ENOENT.*connect|connect ENOENT/,
    says: 'Redis is out of reach: nothing listens at its address',
    next: 'Is Redis running where REDIS_URL says?',
  },
  {
    kind: 'dns',
    failures: /ENOTFOUND|EAI_\w+/,
    says: 'Redis is out of reach: the name of its host is not found',
    next: 'Is the host in REDIS_URL spelled as DNS knows it, and does DNS answer on this machine?',
  },
  {
    kind: 'timeout',
    failures:
      /ETIMEDOUT|ABORT_ERR|TimeoutError|Command timed out|Socket timeout|not ready within|(^|\s)timeout$/,
    says: 'Redis is out of reach: it does not answer in time',
    next: 'Is Redis running where REDIS_URL says? A frozen server, a firewall that drops packets, and rediss:// to a Redis without TLS look the same.',
  },
  {
    kind: 'no_route',
    failures: /E(HOST|NET)(UNREACH|DOWN)|EADDRNOTAVAIL/,
    says: 'Redis is out of reach: this machine has no way to it',
    next: 'Mend the network between this machine and Redis.',
  },
  {
    kind: 'lost',
    failures:
      /ECONNRESET|ECONNABORTED|EPIPE|Connection is (closed|aborted|discarded)|isn't (writeable|ready)|Command aborted|max retries per request|Cluster is (ended|disconnect)|None of startup nodes|Node is disconnected|Failed to refresh slots cache|All sentinels are unreachable|Redis is already connecting|Command queue state/,
    says: 'Redis is out of reach: the connection to it broke off',
    next: 'Its log may say why it closed the connection. Where Redis speaks TLS, REDIS_URL must begin with rediss://.',
  },
];

/** The words in which ioredis, and `store/redis`, quote what a server has said. */
const quotation = /(?:Last error|tells its slots|the master is): (?:\w*Error: )?(.*)$/;

const named = new Map(causes.map((cause) => [cause.kind, cause]));

/** The row of the table. */
export function causeNamed(kind: CauseKind): Cause {
  const cause = named.get(kind);
  if (cause === undefined) throw new Error(`the table of causes has no ${kind}`);
  return cause;
}

/** Why Redis was of no use. Null: the error is none of Redis's state, but a defect of the data or of the program. */
export function causeOf(error: unknown): Cause | null {
  const root = rootOf(error);
  if (!(root instanceof Error) || isFaultOfProgram(root)) return null;
  const text = textOf(root);
  const isReply = root.name === 'ReplyError';
  // ioredis quotes the reply of a server in errors of its own: "All sentinels are unreachable. … Last error: NOAUTH …".
  const [, reply = root.message] = quotation.exec(root.message) ?? [];
  const found = causes.find(
    ({ replies, failures }) => replies?.test(reply) || (!isReply && failures?.test(text)),
  );
  if (found !== undefined) return found;
  return 'syscall' in root ? causeNamed('lost') : null;
}

/** What the error itself says. ioredis and Node wrap errors, and what is inside is of use. */
export function detailOf(error: unknown): string {
  const root = rootOf(error);
  if (!(root instanceof Error)) return String(root);
  const { code = '' } = root as { readonly code?: unknown };
  return root.message === '' ? String(code) : root.message;
}

function textOf(error: Error): string {
  const { code = '' } = error as { readonly code?: unknown };
  return `${error.name} ${code} ${error.message}`;
}

/** Of several addresses tried the first failure, of a cluster's nodes the last. */
function rootOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return rootOf(error.errors[0]);
  const { lastNodeError, cause = lastNodeError } = (error ?? {}) as {
    readonly lastNodeError?: unknown;
    readonly cause?: unknown;
  };
  return cause instanceof Error ? rootOf(cause) : error;
}

/** What only our own code or its data can bring about, whatever the text of the data says. */
function isFaultOfProgram(error: Error): boolean {
  return (
    error instanceof SyntaxError ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError
  );
}
