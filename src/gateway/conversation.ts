import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { ClientMessage, ConflictPolicy, HelloMessage } from '#client/protocol/messages.js';
import type { ClientClaims } from '../auth/tokens.js';
import type { Log } from '../base/log.js';
import type { WheelTimer } from '../base/timer-wheel.js';
import type { Trace, Tracing } from '../base/tracing.js';
import type { WallClock } from '../base/wall-clock.js';
import {
  type Admission,
  type AdmissionParts,
  admit,
  notYetAccepted,
  type Visit,
} from '../session/admission.js';
import { judgeRefresh } from '../session/refresh.js';
import { type Session, tokenOf } from '../session/session.js';
import { noteToken } from '../session/token-notes.js';
import { Connection, type ConnectionParts } from './connection.js';
import { Inbound, type InboundParts, type Listener } from './inbound.js';

export interface ConversationParts extends ConnectionParts, InboundParts {
  readonly admission: AdmissionParts;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly wallMs: WallClock;
}

/** The points of a conversation. */
type Phase =
  | { readonly name: 'greeting' }
  /** What comes meanwhile waits in Inbound. */
  | { readonly name: 'claiming' }
  /** The seat is being taken along; what comes meanwhile waits too. */
  | { readonly name: 'departing'; readonly session: Session }
  /** Somebody else has the seat, and the person may choose to take it. */
  | { readonly name: 'choosing'; readonly hello: HelloMessage; readonly connection: string }
  | { readonly name: 'seated'; readonly session: Session; readonly byYes?: boolean }
  /** The seat is given back, or the connection has ended. */
  | { readonly name: 'leaving' };

/** What a message leads to in a phase, or, as a text, why it may not come there. */
type Act<M, P> = string | ((one: Conversation, message: M, phase: P) => unknown);
type Of<U, K extends keyof U, V> = Extract<U, Record<K, V>>;
type Acts<P extends Phase> = {
  readonly [T in ClientMessage['type']]: Act<Of<ClientMessage, 'type', T>, P>;
};

const [helloFirst, noConflict] = ['hello comes first', 'takeover answers a conflict'];
const ignored = () => {};

/** The field in which a WebSocket holds its conversation. */
const carried = Symbol('conversation');
type Carrier = WebSocket & { [carried]?: Conversation };

function on<A extends unknown[]>(act: (one: Conversation, ...args: A) => void) {
  return function (this: WebSocket, ...args: A): void {
    const conversation = (this as Carrier)[carried];
    if (conversation !== undefined) act(conversation, ...args);
  };
}

/** What one client says, in the order in which it may say it. */
export class Conversation implements Listener {
  readonly connection: Connection;
  readonly #inbound: Inbound;
  #phase: Phase = { name: 'greeting' };
  /** The client closed with 1000. While the claim is under way this tells that it wants no seat. */
  #isGivenBack = false;
  /** The timer of the present phase. */
  #timer: WheelTimer | null = null;
  /** Of the handshake, until the claim has been answered. Null while tracing is off. */
  #trace: Trace | null;

  constructor(
    ws: WebSocket,
    socket: Socket,
    private claims: ClientClaims | null,
    private readonly parts: ConversationParts,
    private readonly onClosed: () => void,
    trace: Trace | null,
    forwardedAddress: string | null,
  ) {
    this.#trace = trace;
    const onEnded = (reason: string) => this.#detach(reason);
    this.connection = new Connection(ws, socket, parts, onEnded, forwardedAddress);
    this.#inbound = new Inbound(this.connection, this, parts);
    this.#awaitHello();
    (ws as Carrier)[carried] = this;
    ws.on('message', Conversation.#onMessage);
    ws.on('ping', Conversation.#onPing);
    ws.on('pong', Conversation.#onPong);
    ws.on('error', Conversation.#onError);
    ws.on('close', Conversation.#onClose);
  }

  // The same functions for every WebSocket: to make them anew for each takes time, and memory as long as it lives.
  static readonly #onMessage = on((one, data: RawData, isBinary: boolean) =>
    one.#inbound.message(data, isBinary),
  );
  static readonly #onPing = on((one, data: Buffer) => one.#inbound.ping(data));
  static readonly #onPong = on((one) => one.#inbound.pong());
  static readonly #onError = on((one, error: Error & { code?: string }) => one.#failed(error));
  static readonly #onClose = on((one, code: number) => one.#closed(code));

  /** What a client may say when. */
  static readonly #afterHello: Acts<Phase> = {
    hello: 'hello comes once',
    takeover: noConflict,
    refresh: (one, { token }) => void one.#refresh(token),
    release: ignored,
    activity: ignored,
    leave: ignored,
    answer: ignored, // The question may have ended meanwhile.
  };
  static readonly #acts: { readonly [N in Phase['name']]: Acts<Of<Phase, 'name', N>> } = {
    greeting: {
      hello: (one, hello) => one.#claim(hello, hello.onConflict ?? 'takeover'),
      takeover: helloFirst,
      refresh: helloFirst,
      release: helloFirst,
      activity: helloFirst,
      leave: helloFirst,
      answer: helloFirst,
    },
    claiming: Conversation.#afterHello,
    departing: Conversation.#afterHello,
    choosing: {
      ...Conversation.#afterHello,
      takeover: (one, { ifFree }, { hello }) => one.#claim(hello, ifFree === true ? 'deny' : 'takeover'),
      release: (one) => one.connection.end('released'),
    },
    seated: {
      ...Conversation.#afterHello,
      takeover: (_, __, { byYes }) => (byYes === true ? null : noConflict), // It may have crossed the holder's yes.
      release: (one, _, { session }) => one.#release(session),
      answer: (one, { yield: yields, needMs }, { session }) =>
        void one.parts.admission.questions.answer(session, yields, needMs),
      leave: (one, { forMs }, { session }) => void one.#depart(session, forMs),
      activity: (one, { idleMs }, { session }) => one.parts.admission.idleWatch.active(session, idleMs ?? 0),
    },
    leaving: Conversation.#afterHello,
  };

  get isBusy(): boolean {
    return this.#phase.name === 'claiming' || this.#phase.name === 'departing';
  }

  /** Whether it has shown a token that was accepted. */
  get isKnown(): boolean {
    return this.claims !== null;
  }

  get hasHello(): boolean {
    return this.#phase.name !== 'greeting';
  }

  handle(message: ClientMessage): void {
    const phase = this.#phase;
    // The act is that of this phase and this message, which the compiler cannot see.
    const act = Conversation.#acts[phase.name][message.type] as Act<ClientMessage, Phase>;
    const fault = typeof act === 'function' ? act(this, message, phase) : act;
    if (typeof fault === 'string') this.#inbound.strike({ code: 'bad_message', message: fault });
  }

  #failed(error: Error & { code?: string }): void {
    this.parts.log.debug({ reason: error.message }, 'connection failed');
    this.connection.brokenByPeer(error.code ?? '');
  }

  #awaitHello(): void {
    this.#phase = { name: 'greeting' };
    this.#timer = this.parts.wheel.after(this.parts.helloTimeoutMs, () => {
      this.parts.standstill.look();
      // After a standstill the hello may lie in the socket, and wait to be read.
      this.parts.standstill.afterReading(() => {
        if (this.hasHello || this.connection.isEnded) return;
        if (this.#inbound.isHeld) this.#awaitHello();
        else this.connection.end('hello_timeout');
      });
    });
  }

  async #claim(hello: HelloMessage, onConflict: ConflictPolicy, ask?: Visit['ask']): Promise<void> {
    this.#timer?.cancel();
    const waited = this.#stopsWaiting(onConflict === 'deny'); // With `ifFree` it asks nobody any more.
    this.#phase = { name: 'claiming' };
    const { connection, claims, parts } = this;
    const trace = this.#trace ?? parts.tracing.begin('connect');
    this.#trace = null;
    const more = { claims, trace, ...(ask && { ask }), ...(waited !== null && { waited }) };
    const admission = await admit({ link: connection, hello, onConflict, ...more }, parts.admission);
    this.claims = admission.claims;
    this.#phase = { name: 'leaving' };
    if (connection.isEnded) {
      if (admission.outcome === 'granted') this.#leave(admission.session);
      else if (admission.outcome === 'conflict') this.#wait(hello, admission, false);
      this.#stopsWaiting(true);
      return;
    }
    const byYes = ask !== undefined;
    if (admission.outcome === 'granted') this.#phase = { name: 'seated', session: admission.session, byYes };
    else if (admission.outcome === 'conflict') {
      this.#wait(hello, admission, byYes);
      this.#beatWhileWaiting();
    }
    this.#inbound.resume();
  }

  readonly #wantsNoSeat = () => this.#isGivenBack || this.#inbound.awaits('release');

  /** The connection has ended: the seat stays for a resume, unless its client gave it back before. */
  #leave(session: Session): void {
    const { lifecycle } = this.parts.admission;
    if (this.#wantsNoSeat() && session.isLive) void lifecycle.giveBack(session);
    else lifecycle.abandon(session);
  }

  /** For the person's choice, or for the answer of the holder; `isAgain`: it was asked before. */
  #wait(hello: HelloMessage, admission: Extract<Admission, { outcome: 'conflict' }>, isAgain: boolean): void {
    const { user, connection, question, freeInMs, claims } = admission;
    this.#phase = { name: 'choosing', hello, connection };
    const complete = (ask: NonNullable<Visit['ask']>) => {
      if (this.#phase.name === 'choosing') void this.#claim(hello, 'ask', ask);
    };
    const waiter = { org: claims.org, user, connection, link: this.connection, question, freeInMs, complete };
    this.parts.admission.waiters.add(waiter, isAgain);
  }

  /** Gives the claim that waited, if one did. */
  #stopsWaiting(hasGone: boolean): string | null {
    const connection = this.#phase.name === 'choosing' ? this.#phase.connection : null;
    if (connection !== null) this.parts.admission.waiters.remove(connection, hasGone);
    return connection;
  }

  /** The connection stays open as long as the peer lives and the token holds. */
  #beatWhileWaiting(): void {
    this.#timer = this.parts.wheel.after(this.parts.renewEveryMs, () => {
      if (this.connection.isSilent()) this.connection.end('no_pong');
      if ((this.claims?.expiresAtMs ?? 0) <= this.parts.wallMs()) this.connection.end('token_expired');
      if (this.connection.isEnded) return;
      this.connection.pingWith(null);
      this.#beatWhileWaiting();
    });
  }

  async #refresh(token: string): Promise<void> {
    const { wheel, log, admission } = this.parts;
    const { tokenWatch, leases } = admission;
    // The org may know the person by another name than the token before: after a renaming.
    const names = [this.claims?.user, this.#phase.name === 'seated' ? this.#phase.session.user : undefined];
    const verdict = await judgeRefresh(token, { org: this.claims?.org, names }, admission);
    if (this.connection.isEnded) return;
    if (!verdict.ok) {
      const notYet = notYetAccepted(verdict);
      // The session goes on under the token that it has, and ends with that one.
      if (notYet !== null) this.connection.send(notYet);
      else this.connection.end(verdict.reason === 'expired' ? 'token_expired' : 'unauthorized');
      return;
    }
    this.claims = verdict.claims;
    if (this.#phase.name !== 'seated') return;
    const { session } = this.#phase;
    session.token = tokenOf(verdict.claims);
    tokenWatch.watch(session, verdict.claims.expiresAtMs);
    await noteToken(session, { leases, wheel, log });
  }

  async #depart(session: Session, forMs: number): Promise<void> {
    this.#phase = { name: 'departing', session };
    await this.parts.admission.departures.leave(session, forMs);
    if (!this.connection.isEnded) this.#phase = { name: 'seated', session };
    this.#inbound.resume();
  }

  #release(session: Session): void {
    this.#phase = { name: 'leaving' };
    // The seat first, the close after: who sees the close may count on a free seat.
    void this.parts.admission.lifecycle.giveBack(session).finally(() => this.connection.end('released'));
  }

  #closed(code: number): void {
    // A normal close is a graceful end; after any other the seat waits for a resume [broker-seat-stays].
    this.#isGivenBack = code === 1000 && !this.connection.isEnded;
    if (this.#phase.name === 'seated' && this.#phase.session.isLive && this.#wantsNoSeat())
      void this.parts.admission.lifecycle.giveBack(this.#phase.session);
    this.connection.closedByPeer(code);
    this.onClosed();
  }

  #detach(reason: string): void {
    this.#timer?.cancel();
    this.#inbound.stop();
    this.#trace?.end({ outcome: 'closed' });
    this.#stopsWaiting(true);
    if (this.#phase.name === 'seated' || this.#phase.name === 'departing')
      this.parts.admission.lifecycle.disconnected(this.#phase.session, reason);
  }
}
