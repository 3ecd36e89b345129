import type { clientMessages, serverMessages, ValuesOf } from './message-table.js';

/** The messages of subprotocol `soleseat.v1`: JSON text frames, told apart by `type`. `message-table.ts` has their fields. */

export const SUBPROTOCOL = 'soleseat.v1';
/** A browser offers its token as a second subprotocol with this prefix; it is never echoed. */
export const TOKEN_SUBPROTOCOL_PREFIX = 'soleseat.token.';
export const CONNECT_PATH = '/v1/connect';

export type { ErrorCode } from './message-table.js';

/**
 * When a message was written, so that its age can be told (promise 15). The node's connection adds it to each message
 * that may carry a duration; an older broker sends none.
 */
export interface Timed {
  /** Since the node's first answer on this connection, on the node's monotonic clock: whole milliseconds. */
  readonly elapsedMs: number;
}

type Typed<T> = { readonly type: T };
type AgeOf<Spec> = Spec extends { readonly isTimed: true } ? Partial<Timed> : unknown;
type Messages<Table extends Record<string, { readonly fields: unknown }>> = {
  [T in keyof Table]: Typed<T> & ValuesOf<Table[T]['fields']> & AgeOf<Table[T]>;
};
type FromClient = Messages<typeof clientMessages>;
type FromServer = Messages<typeof serverMessages>;

export type HelloMessage = FromClient['hello'];
export type TakeoverMessage = FromClient['takeover'];
export type AnswerMessage = FromClient['answer'];
export type RefreshMessage = FromClient['refresh'];
export type ActivityMessage = FromClient['activity'];
export type LeaveMessage = FromClient['leave'];
export type ReleaseMessage = FromClient['release'];
export type ClientMessage = FromClient[keyof FromClient];

/** A computer, named by a stable opaque id of at most 128 bytes. */
export type Machine = HelloMessage['machine'];
export type MachineKind = NonNullable<Machine['kind']>;
export type ConflictPolicy = NonNullable<HelloMessage['onConflict']>;
export type ResumeRequest = NonNullable<HelloMessage['resume']>;

export type WelcomeMessage = FromServer['welcome'];
export type LeaseMessage = FromServer['lease'];
export type EvictedMessage = FromServer['evicted'];
export type ConflictMessage = FromServer['conflict'];
export type TakeoverRequestedMessage = FromServer['takeover_requested'];
export type IdleWarningMessage = FromServer['idle_warning'];
export type LeftMessage = FromServer['left'];
export type JeopardyMessage = FromServer['jeopardy'];
export type RecoveredMessage = FromServer['recovered'];
export type TokenExpiringMessage = FromServer['token_expiring'];
export type DrainingMessage = FromServer['draining'];
export type ErrorMessage = FromServer['error'];
export type ServerMessage = FromServer[keyof FromServer];
