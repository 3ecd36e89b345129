import type { MetricRows } from './row.js';

/** What a node knows of its own connections and sessions. Labels are bounded: never a user or a session. */
export const brokerMetrics = {
  ready: ['gauge', 'soleseat_ready', '1 while the node takes new sessions, as /readyz says; else 0.', []],
  connections: ['gauge', 'soleseat_connections', 'Open client connections.', []],
  sessions: ['gauge', 'soleseat_sessions', 'Sessions that this node serves.', []],
  claims: [
    'counter',
    'soleseat_claims_total',
    'Claims by outcome: granted, resumed, conflict, denied, flapping or store_unavailable.',
    ['outcome'],
  ],
  denials: ['counter', 'soleseat_claim_denials_total', 'Claims denied, by reason.', ['reason']],
  claimSeconds: [
    'histogram',
    'soleseat_claim_duration_seconds',
    'Time from a hello to the answer of its claim.',
    [],
  ],
  evictions: [
    'counter',
    'soleseat_evictions_total',
    'Sessions ended from outside, by reason and by the path on which this node learned of it.',
    ['reason', 'path'],
  ],
  evictionSeconds: [
    'histogram',
    'soleseat_eviction_latency_seconds',
    "Time from the grant that displaces (Redis time) to the notice at the loser's node.",
    [],
  ],
  evictionReceiptSeconds: [
    'histogram',
    'soleseat_eviction_receipt_seconds',
    "Time from the grant that displaces (Redis time) to the loser's receipt: its answer to the close.",
    [],
  ],
  renewals: [
    'counter',
    'soleseat_renewals_total',
    'Renewals by outcome: kept, reasserted, lost or failed.',
    ['outcome'],
  ],
  jeopardy: [
    'gauge',
    'soleseat_sessions_in_jeopardy',
    'Sessions whose lease cannot be confirmed at present.',
    [],
  ],
  jeopardies: ['counter', 'soleseat_jeopardies_total', 'Times that a session came into jeopardy.', []],
  closes: ['counter', 'soleseat_closes_total', 'Closes by code, whoever closed first.', ['code']],
  slowConsumers: [
    'counter',
    'soleseat_slow_consumers_total',
    'Connections closed since they did not read what they were sent.',
    [],
  ],
  messagesReceived: [
    'counter',
    'soleseat_messages_received_total',
    'Messages from clients by type; `invalid` for those that break the protocol.',
    ['type'],
  ],
  messagesSent: ['counter', 'soleseat_messages_sent_total', 'Messages to clients by type.', ['type']],
  receivedBytes: [
    'counter',
    'soleseat_messages_received_bytes_total',
    'Bytes of the messages from clients, without WebSocket framing.',
    [],
  ],
  sentBytes: [
    'counter',
    'soleseat_messages_sent_bytes_total',
    'Bytes of the messages to clients, without WebSocket framing.',
    [],
  ],
  pingSeconds: [
    'histogram',
    'soleseat_ping_round_trip_seconds',
    "Time from a ping to the client's pong.",
    [],
  ],
  refusals: [
    'counter',
    'soleseat_handshake_refusals_total',
    'Handshakes refused over HTTP, by status.',
    ['status'],
  ],
  admissionRefusals: [
    'counter',
    'soleseat_admission_refusals_total',
    'Handshakes refused at the door whatever they were like, by what stood in the way: address (its connections), address_rate (its attempts), rate, draining or store.',
    ['limit'],
  ],
  tokenFailures: ['counter', 'soleseat_token_failures_total', 'Tokens not accepted, by reason.', ['reason']],
} as const satisfies MetricRows;
