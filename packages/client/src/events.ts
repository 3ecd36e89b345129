import type {
  ConflictMessage,
  ErrorCode,
  EvictedMessage,
  JeopardyMessage,
  WelcomeMessage,
} from './protocol/messages.js';

/**
 * - `connecting`: an attempt that a person caused is under way.
 * - `active`: the seat is here.
 * - `jeopardy`: the seat was here, and the node cannot confirm it at present.
 * - `reconnecting`: the connection is lost; attempts go on by themselves. The lease may still run.
 * - `evicted`: the session was ended from outside. No attempt is made until a person acts.
 * - `denied`: the seat is elsewhere (`conflict`, the connection waits), or refused (`denied`, it is closed).
 * - `closed`: ended by this program, or released.
 */
export type ClientState =
  | 'connecting'
  | 'active'
  | 'jeopardy'
  | 'reconnecting'
  | 'evicted'
  | 'denied'
  | 'closed';

/** What `error` may carry: the broker's codes, and two that arise here. */
export type ClientErrorCode = ErrorCode | 'token_unavailable' | 'socket_unavailable';

/** The events of a client and what their listeners get. */
export interface ClientEvents {
  readonly state: { readonly state: ClientState; readonly previous: ClientState };
  readonly welcome: WelcomeMessage;
  /** At every confirmed renewal. `deadline` is on the scale of `performance.now()`. */
  readonly lease: { readonly epoch: number; readonly ttlMs: number; readonly deadline: number };
  readonly evicted: Omit<EvictedMessage, 'type'>;
  /** Another machine holds the seat. The connection waits for `takeOver()`. */
  readonly conflict: Omit<ConflictMessage, 'type'>;
  /** The broker refused for good; `message` is a sentence for people. */
  readonly denied: { readonly code: number; readonly reason: string; readonly message: string };
  readonly jeopardy: Omit<JeopardyMessage, 'type'>;
  readonly recovered: Record<string, never>;
  /** The lease's deadline passed without a confirmed renewal: stop counting on the seat. Once per expiry. */
  readonly leaseExpired: { readonly epoch: number; readonly deadline: number };
  readonly error: {
    readonly code: ClientErrorCode;
    readonly message: string;
    readonly retryAfterMs?: number;
  };
  /** The connection ended for good; the state is then `closed`, `evicted` or `denied`. */
  readonly closed: { readonly code: number; readonly reason: string };
  /** An attempt is due in `inMs`. `code` is the last close code, 1006 where there was none. */
  readonly reconnecting: { readonly inMs: number; readonly code: number };
}

export type EventName = keyof ClientEvents;
export type Listener<E extends EventName> = (event: ClientEvents[E]) => void;
type Listeners = { [E in EventName]?: Set<Listener<E>> };

/** Typed listeners, each called apart from the others: one that throws stops nothing. */
export class Emitter {
  private readonly listeners: Listeners = {};

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
        listener(payload);
      } catch (fault) {
        console.error(`soleseat: a listener of "${event}" threw`, fault);
      }
    }
  }
}
