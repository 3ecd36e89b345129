/**
 * The one table of close codes. PROTOCOL.md, the client library and the metrics derive from it.
 *
 * Whether to retry is arithmetic: 4500 to 4999 are final, anything else may reconnect with
 * jittered backoff (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications).
 */
export interface CloseCode {
  /** The WebSocket close code. */
  readonly code: number;
  /** The close reason as sent, at most 123 bytes (RFC 6455 section 5.5) [broker-close-reason]. */
  readonly reason: CloseReason;
  /** A sentence for people. */
  readonly meaning: string;
}

const table = {
  released: [1000, 'The program released the seat.'],
  left: [1000, 'The program took the seat along, to use it offline.'],
  protocol_error: [1002, 'The peer broke the WebSocket protocol.'],
  binary_not_supported: [1003, 'Only text frames are understood.'],
  draining: [1012, 'The node is going away; reconnect, the session resumes elsewhere.'],
  overloaded: [1013, 'The node failed at this; reconnect later.'],
  store_unavailable: [1013, 'Redis is out of reach, so no seat can be granted at present.'],
  token_expired: [4001, 'The token ended; fetch a new one, then reconnect.'],
  token_not_yet_accepted: [
    4002,
    'The key of the token is not known yet, or the token begins later; fetch another one.',
  ],
  slow_consumer: [4008, 'The client does not read what it is sent.'],
  lease_lost: [4010, 'The node could not confirm the lease in time.'],
  no_pong: [4014, 'The client did not answer a ping.'],
  hello_timeout: [4408, 'No complete hello came in time.'],
  stale_attempt: [4409, 'An older hello of this process came after a newer one; it changed nothing.'],
  rate_limited: [4429, 'Too many messages, pings or attempts; wait before reconnecting.'],
  bad_request: [4500, 'Three bad messages on one connection, or a hello that can never be right.'],
  unauthorized: [4501, 'The token is missing or not accepted.'],
  forbidden: [4503, 'The token gives no right to this.'],
  machine_not_allowed: [4505, 'The org does not allow this machine.'],
  unsupported_protocol: [4506, 'The client offered no subprotocol that the node speaks.'],
  client_too_old: [4507, 'The org asks for a newer version of the program.'],
  taken_over: [4509, 'Another machine of the same user took the seat.'],
  superseded: [4509, 'A newer connection of the same machine took the seat.'],
  evicted_by_admin: [4510, 'An administrator ended the session.'],
  signed_out: [4510, 'The user signed this machine out.'],
  user_renamed: [4510, 'The user has another name now: sign in again.'],
  license_suspended: [4511, 'The license is suspended.'],
  license_revoked: [4511, 'The license was revoked.'],
  org_suspended: [4511, 'The org is suspended.'],
  license_expired: [4512, 'The license has expired.'],
  license_required: [4513, 'The user has no license in this org.'],
  license_not_started: [4513, 'The license begins later.'],
  quota_exhausted: [4514, 'The org has issued all the licenses that it bought.'],
  seats_exhausted: [4515, 'As many users as the org may have at once have a seat.'],
  token_revoked: [4516, 'The token was revoked.'],
  idle_timeout: [4517, 'The session was idle for longer than the org allows.'],
  flapping: [4529, 'Two machines are fighting over the seat; a person must act.'],
} as const satisfies Record<string, readonly [number, string]>;

export type CloseReason = keyof typeof table;

// The kinds of reasons. A reason in neither list is about the connection or its token alone.

/** Reasons for which a session is ended from outside. */
export const evictionReasons = [
  'taken_over',
  'superseded',
  'released',
  'evicted_by_admin',
  'user_renamed',
  'license_suspended',
  'license_revoked',
  'license_expired',
  'org_suspended',
  'token_revoked',
  'idle_timeout',
  'signed_out',
] as const satisfies readonly CloseReason[];
export type EvictionReason = (typeof evictionReasons)[number];

/** Reasons for which a claim is denied, whoever has the seat. */
export const denialReasons = [
  'license_required',
  'license_suspended',
  'license_revoked',
  'license_expired',
  'quota_exhausted',
  'machine_not_allowed',
  'evicted_by_admin',
  'org_suspended',
  'token_revoked',
  'client_too_old',
  'license_not_started',
  'seats_exhausted',
] as const satisfies readonly CloseReason[];
export type DenialReason = (typeof denialReasons)[number];

/** Every close the broker makes, in the order of their codes. */
export const closeCodes: readonly CloseCode[] = Object.entries(table).map(([reason, [code, meaning]]) => ({
  code,
  reason: reason as CloseReason,
  meaning,
}));

/** The code that goes with a reason. */
export function codeOf(reason: CloseReason): (typeof table)[CloseReason][0] {
  return table[reason][0];
}

/** The sentence that goes with a reason. */
export function meaningOf(reason: CloseReason): string {
  return table[reason][1];
}

/** Whether a client must not reconnect by itself after this close code. */
export function isFinal(code: number): boolean {
  return code >= 4500 && code < 5000; // [final-codes]
}
