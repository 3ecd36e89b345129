import type { Cause } from './cause.js';
import type {
  ConflictMessage,
  ErrorCode,
  EvictedMessage,
  JeopardyMessage,
  TakeoverRequestedMessage,
  WelcomeMessage,
} from './protocol/messages.js';

/**
 * - `connecting`: an attempt that a person caused is under way.
 * - `active`: the seat is here.
 * - `jeopardy`: the seat was here, and the node cannot confirm it at present.
 * - `reconnecting`: the connection is lost; attempts go on by themselves. The lease may still run.
 * - `evicted`: the session was ended from outside. No attempt is made until a person acts.
 * - `conflict`: the seat is elsewhere; the connection waits for `takeOver()`.
 * - `denied`: refused for good. No attempt is made until a person acts.
 * - `closed`: ended by this program, or released.
 */
export type ClientState =
  | 'connecting'
  | 'active'
  | 'jeopardy'
  | 'reconnecting'
  | 'evicted'
  | 'conflict'
  | 'denied'
  | 'closed';

/**
 * What `error` may carry: the broker's codes, and those that arise here. `token_unavailable`: `getToken` failed or hung.
 * `connection_failed`: an attempt came to nothing, told when it is for another cause than the last one. `proxy_unavailable`: there is
 * a proxy in the environment and no `https-proxy-agent`, so the library dials without it. `untrusted_broker`: what answered cannot prove by a ticket that it is
 * the vendor's broker, and no attempt follows. `socket_unavailable`: this platform opens
 * no socket to that URL, and no attempt follows.
 */
export type ClientErrorCode =
  | ErrorCode
  | 'token_unavailable'
  | 'connection_failed'
  | 'proxy_unavailable'
  | 'untrusted_broker'
  | 'socket_unavailable';

/** The events of a client and what their listeners get. */
export interface ClientEvents {
  readonly state: { readonly state: ClientState; readonly previous: ClientState };
  readonly welcome: WelcomeMessage;
  /** At every confirmed renewal. `deadline` is on the scale of `performance.now()`. */
  readonly lease: { readonly epoch: number; readonly ttlMs: number; readonly deadline: number };
  readonly evicted: Omit<EvictedMessage, 'type'>;
  /**
   * Another machine holds the seat. The connection waits for `takeOver()`. With `asking` the holder is being asked, and has `waitMs` to
   * answer; with `holder.onLeaveUntil` the seat was taken along offline.
   */
  readonly conflict: Omit<ConflictMessage, 'type'>;
  /** While a `conflict` waits: the holder has left. A hint, as others may be told the same; `takeIfFree()` displaces nobody. */
  readonly seatFree: Record<string, never>;
  /** The broker refused for good; `message` is a sentence for people. */
  readonly denied: {
    /** The close code; 1006 where the handshake was refused, and `reason` is `handshake_refused`. */
    readonly code: number;
    readonly reason: string;
    readonly message: string;
  };
  readonly jeopardy: Omit<JeopardyMessage, 'type'>;
  readonly recovered: Record<string, never>;
  /** The lease's deadline passed without a confirmed renewal: stop counting on the seat. Once per expiry. */
  readonly leaseExpired: { readonly epoch: number; readonly deadline: number };
  /** Nobody was at work for long: without `activity()` the session ends at `deadline`, on the scale of `performance.now()`. */
  readonly idleWarning: { readonly inMs: number; readonly deadline: number };
  /**
   * Another machine asks for the seat, and `answer()` tells what the person wants. The seat stays here until `evicted`. `deadline` is
   * on the scale of `performance.now()`: no answer until then means yes.
   */
  readonly takeoverRequested: {
    readonly by: TakeoverRequestedMessage['by'];
    readonly answerWithinMs: number;
    readonly deadline: number;
  };
  /** Nobody asks any more. */
  readonly takeoverWithdrawn: Record<string, never>;
  /** The seat is taken along, from now on for `forMs` milliseconds: `leave` of `@soleseat/client/ticket` hands it on. */
  readonly left: { readonly ticket: string; readonly forMs: number };
  /** The seat is here again, or is another one: delete the ticket of the leave. */
  readonly leaveEnded: Record<string, never>;
  /** The holder was asked, and said no. The connection waits on. */
  readonly askRefused: Record<string, never>;
  readonly error: {
    readonly code: ClientErrorCode;
    readonly message: string;
    readonly retryAfterMs?: number;
    /** With `connection_failed`. */
    readonly cause?: Cause;
  };
  /** The connection ended for good; the state is then `closed`, `evicted` or `denied`. */
  readonly closed: { readonly code: number; readonly reason: string };
  /** An attempt is due in `inMs`. `code` is the last close code, 1006 where there was none; `cause` says why. */
  readonly reconnecting: { readonly inMs: number; readonly code: number; readonly cause: Cause };
}

export type EventName = keyof ClientEvents;
export type Listener<E extends EventName> = (event: ClientEvents[E]) => void;
type Listeners = { [E in EventName]?: Set<Listener<E>> };

/** Typed listeners, each called apart from the others: one that throws stops nothing. */
export class Emitter {
  private readonly listeners: Listeners = {};
  private current: ClientState = 'connecting';

  get state(): ClientState {
    return this.current;
  }

  become(state: ClientState): void {
    const previous = this.current;
    if (previous === state) return;
    this.current = state;
    this.emit('state', { state, previous });
  }

  on<E extends EventName>(event: E, listener: Listener<E>): () => void {
    const set: Set<Listener<E>> = this.listeners[event] ?? new Set<Listener<E>>();
    this.listeners[event] = set as Listeners[E];
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<E extends EventName>(event: E, payload: ClientEvents[E]): void {
    const set: Set<Listener<E>> | undefined = this.listeners[event];
    for (const listener of [...(set ?? [])]) {
      try {
        const result: unknown = listener(payload);
        // An async listener: its rejection would end a Node process.
        if (result instanceof Promise) result.catch((fault) => report(event, fault));
      } catch (fault) {
        report(event, fault);
      }
    }
  }
}

function report(event: EventName, fault: unknown): void {
  console.error(`soleseat: a listener of "${event}" threw`, fault);
}
