import { closeCodes, codeOf, denialReasons, evictionReasons } from '#client/protocol/close-codes.js';
import { clientMessages, serverMessages } from '#client/protocol/message-table.js';
import type { MetricRows } from './row.js';

/** Those of the table of close codes, and those that peers and libraries send; other ones of peers are `other`. */
type Code = ReturnType<typeof codeOf> | 1001 | 1006 | 1007 | 1008 | 1009;
const numbers: readonly Code[] = [
  ...closeCodes.map(({ reason }) => codeOf(reason)),
  1001,
  1006,
  1007,
  1008,
  1009,
];
const codes = [...[...new Set(numbers)].sort((a, b) => a - b), 'other'] as const;
const tokenRefusals = [
  'missing',
  'malformed',
  'too_large',
  'bad_header',
  'bad_algorithm',
  'unknown_kid',
  'bad_signature',
  'bad_issuer',
  'bad_audience',
  'bad_claim',
  'expired',
  'not_yet_valid',
  'other_subject',
] as const;
const fromClients = [...typesOf(clientMessages), 'invalid'] as const;
const toClients = typesOf(serverMessages);

function typesOf<T extends object>(messages: T): readonly (keyof T & string)[] {
  return Object.keys(messages) as (keyof T & string)[];
}

/** What a node knows of its own connections and sessions. Labels are bounded: never a user or a session. */
export const brokerMetrics = {
  ready: ['gauge', 'soleseat_ready', '1 while the node takes new sessions, as /readyz says; else 0.', {}],
  connections: ['gauge', 'soleseat_connections', 'Open client connections.', {}],
  sessions: ['gauge', 'soleseat_sessions', 'Sessions that this node serves.', {}],
  workerSessions: [
    'gauge',
    'soleseat_worker_sessions',
    'Sessions of each process of a node with SOLESEAT_WORKERS.',
    { worker: 'open' },
  ],
  workerCpu: [
    'gauge',
    'soleseat_worker_cpu_seconds',
    'CPU that each process has used so far.',
    { worker: 'open' },
  ],
  workerMemory: [
    'gauge',
    'soleseat_worker_memory_bytes',
    'Resident memory of each process.',
    { worker: 'open' },
  ],
  claims: [
    'counter',
    'soleseat_claims_total',
    'Claims by outcome: a seat (granted, resumed), a refusal, or store_unavailable when Redis did not answer in time.',
    {
      outcome: [
        'granted',
        'resumed',
        'joined',
        'conflict',
        'ask_refused',
        'on_leave',
        'denied',
        'stale',
        'flapping',
        'rate_limited',
        'store_unavailable',
      ],
    },
  ],
  denials: [
    'counter',
    'soleseat_claim_denials_total',
    'Claims denied, by reason.',
    { reason: denialReasons },
  ],
  claimSeconds: [
    'histogram',
    'soleseat_claim_duration_seconds',
    'Time from a hello to the answer of its claim.',
    {},
  ],
  overdrafts: [
    'counter',
    'soleseat_seat_overdrafts_total',
    'Seats granted beyond what the org may use at once, as its overdraft allows.',
    {},
  ],
  evictions: [
    'counter',
    'soleseat_evictions_total',
    'Sessions ended from outside, by reason and by the path on which this node learned of it.',
    { reason: evictionReasons, path: ['local', 'pubsub', 'renewal'] },
  ],
  evictionSeconds: [
    'histogram',
    'soleseat_eviction_latency_seconds',
    "Time from the grant that displaces (Redis time) to the notice at the loser's node.",
    {},
  ],
  evictionReceiptSeconds: [
    'histogram',
    'soleseat_eviction_receipt_seconds',
    "Time from the grant that displaces (Redis time) to the loser's receipt: its answer to the close.",
    {},
  ],
  renewals: [
    'counter',
    'soleseat_renewals_total',
    'Renewals by outcome: kept, reasserted (Redis had lost the lease, and has it back), lost or failed.',
    { outcome: ['kept', 'reasserted', 'lost', 'failed'] },
  ],
  jeopardy: [
    'gauge',
    'soleseat_sessions_in_jeopardy',
    'Sessions whose lease cannot be confirmed at present.',
    {},
  ],
  jeopardies: ['counter', 'soleseat_jeopardies_total', 'Times that a session came into jeopardy.', {}],
  closes: ['counter', 'soleseat_closes_total', 'Closes by code, whoever closed first.', { code: codes }],
  slowConsumers: [
    'counter',
    'soleseat_slow_consumers_total',
    'Connections closed since they did not read what they were sent.',
    {},
  ],
  messagesReceived: [
    'counter',
    'soleseat_messages_received_total',
    'Messages from clients by type; `invalid` for those that cannot be read or have an unknown type.',
    { type: fromClients },
  ],
  messagesSent: [
    'counter',
    'soleseat_messages_sent_total',
    'Messages to clients by type.',
    { type: toClients },
  ],
  receivedBytes: [
    'counter',
    'soleseat_messages_received_bytes_total',
    'Bytes of the messages from clients, without WebSocket framing.',
    {},
  ],
  sentBytes: [
    'counter',
    'soleseat_messages_sent_bytes_total',
    'Bytes of the messages to clients, without WebSocket framing.',
    {},
  ],
  pingSeconds: [
    'histogram',
    'soleseat_ping_round_trip_seconds',
    "Time from a ping to the client's pong.",
    {},
  ],
  refusals: [
    'counter',
    'soleseat_handshake_refusals_total',
    'Handshakes refused over HTTP, by status.',
    { status: [400, 401, 403, 404, 405, 408, 426, 429, 431, 503] },
  ],
  admissionRefusals: [
    'counter',
    'soleseat_admission_refusals_total',
    'Handshakes refused at the door whatever they were like, by what stood in the way: address (its connections), address_rate (its attempts), rate, draining or store.',
    { limit: ['address', 'address_rate', 'strangers', 'rate', 'draining', 'store'] },
  ],
  tokenFailures: [
    'counter',
    'soleseat_token_failures_total',
    'Tokens not accepted, by reason.',
    { reason: tokenRefusals },
  ],
  certificateEnd: [
    'gauge',
    'soleseat_certificate_expires_timestamp_seconds',
    'When the first of the certificates ends, in Unix seconds: of the public port, or of what Redis is met with. Without TLS there is no such series.',
    { certificate: ['public', 'redis_ca', 'redis_client'] },
  ],
  tokenKeys: [
    'gauge',
    'soleseat_token_keys',
    'Keys that verify tokens of this audience: 0 means that no token can be good.',
    { audience: ['client', 'admin'] },
  ],
  keyReads: [
    'counter',
    'soleseat_token_key_reads_total',
    'Looks at the sources of token keys: an identity provider, or a file. After one that failed the last good keys serve.',
    { outcome: ['ok', 'failed'] },
  ],
} as const satisfies MetricRows;
