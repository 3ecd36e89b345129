/** The messages of subprotocol `soleseat.v1`: JSON text frames, told apart by `type`. */

export const SUBPROTOCOL = 'soleseat.v1';
/** A browser offers its token as a second subprotocol with this prefix; it is never echoed. */
export const TOKEN_SUBPROTOCOL_PREFIX = 'soleseat.token.';
export const CONNECT_PATH = '/v1/connect';

export type MachineKind = 'physical' | 'virtual' | 'container';
export type ConflictPolicy = 'takeover' | 'deny' | 'ask';

/** A computer, named by a stable opaque id of at most 128 bytes. */
export interface Machine {
  readonly id: string;
  readonly name?: string;
  readonly os?: string;
  readonly kind?: MachineKind;
}

/** Which session a reconnect means. The epoch decides nothing: above the current one, it shows that Redis lost a grant. */
export interface ResumeRequest {
  readonly sessionId: string;
  readonly epoch: number;
}

// Client to server

export interface HelloMessage {
  readonly type: 'hello';
  readonly machine: Machine;
  /** Names the running process: random, new at every start of it. */
  readonly instance?: string;
  /** Grows with every `hello` of the instance, so that one that lay in a buffer is known as old. */
  readonly attempt?: number;
  readonly onConflict?: ConflictPolicy;
  readonly resume?: ResumeRequest;
  /** What can be read of it: a name or a version that cannot be shown is left out. */
  readonly client?: { readonly name?: string; readonly version?: string };
  readonly token?: string;
}
export interface TakeoverMessage {
  readonly type: 'takeover';
}
export interface AnswerMessage {
  readonly type: 'answer';
  readonly yield: boolean;
  readonly needMs?: number;
}
export interface RefreshMessage {
  readonly type: 'refresh';
  readonly token: string;
}
export interface ActivityMessage {
  readonly type: 'activity';
}
export interface ReleaseMessage {
  readonly type: 'release';
}
export type ClientMessage =
  | HelloMessage
  | TakeoverMessage
  | AnswerMessage
  | RefreshMessage
  | ActivityMessage
  | ReleaseMessage;

// Server to client

/**
 * When a message was written, so that its age can be told (promise 15). The node's connection adds it to each message
 * that may carry a duration; an older broker sends none.
 */
export interface Timed {
  /** Since the node's first answer on this connection, on the node's monotonic clock: whole milliseconds. */
  readonly elapsedMs: number;
}

export interface WelcomeMessage extends Partial<Timed> {
  readonly type: 'welcome';
  readonly sessionId: string;
  readonly epoch: number;
  readonly resumed: boolean;
  /** Time left on the lease as the node knows it, in milliseconds. */
  readonly ttlMs: number;
  readonly renewEveryMs: number;
  readonly license: { readonly id: string; readonly expiresAt?: number } | null;
  readonly displaced?: { readonly machine: { readonly name?: string } };
}
export interface LeaseMessage extends Partial<Timed> {
  readonly type: 'lease';
  readonly epoch: number;
  readonly ttlMs: number;
}
export interface EvictedMessage {
  readonly type: 'evicted';
  readonly reason: string;
  readonly by?: { readonly machine: { readonly name?: string } };
  /** When it happened, in Unix milliseconds by Redis's clock. */
  readonly at: number;
  /** The epoch that ended this session: the winner's, or the tombstone's. */
  readonly epoch: number;
}
export interface ConflictMessage extends Partial<Timed> {
  readonly type: 'conflict';
  /** `since` is in Unix milliseconds by Redis's clock. `sameMachine`: another process of this very machine. */
  readonly holder: {
    readonly machine: { readonly name?: string };
    readonly since: number;
    readonly sameMachine?: true;
  };
}
export interface JeopardyMessage extends Partial<Timed> {
  readonly type: 'jeopardy';
  readonly graceMs: number;
}
export interface RecoveredMessage {
  readonly type: 'recovered';
}
export interface TokenExpiringMessage extends Partial<Timed> {
  readonly type: 'token_expiring';
  readonly inMs: number;
}
export interface DrainingMessage extends Partial<Timed> {
  readonly type: 'draining';
  readonly reconnectWithinMs: number;
}
export interface ErrorMessage extends Partial<Timed> {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
}
export type ServerMessage =
  | WelcomeMessage
  | LeaseMessage
  | EvictedMessage
  | ConflictMessage
  | JeopardyMessage
  | RecoveredMessage
  | TokenExpiringMessage
  | DrainingMessage
  | ErrorMessage;

/** Codes of `error` messages: a bad message, or a claim that was refused (then the close reason). */
export type ErrorCode = 'bad_json' | 'bad_message' | 'unsupported' | import('./close-codes.js').CloseReason;
