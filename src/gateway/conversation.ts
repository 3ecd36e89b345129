import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { ClientMessage, ConflictPolicy, HelloMessage } from '#client/protocol/messages.js';
import type { ClientClaims } from '../auth/tokens.js';
import type { Log } from '../base/log.js';
import type { WheelTimer } from '../base/timer-wheel.js';
import type { Trace, Tracing } from '../base/tracing.js';
import type { WallClock } from '../base/wall-clock.js';
import { type AdmissionParts, admit, factsOf, notYetAccepted, type Visit } from '../session/admission.js';
import type { Session } from '../session/session.js';
import type { HeldLease } from '../store/lease-types.js';
import { Connection, type ConnectionParts } from './connection.js';
import { Inbound, type InboundParts, type Listener } from './inbound.js';

export interface ConversationParts extends ConnectionParts, InboundParts {
  readonly admission: AdmissionParts;
  readonly release: (lease: HeldLease) => Promise<boolean>;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly wallMs: WallClock;
}

/** Where a WebSocket holds its conversation. */
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
  #hello: HelloMessage | null = null;
  #session: Session | null = null;
  #isAdmitting = false;
  /** Whoever closes with 1000 while the claim is under way wants no seat. */
  #isGivenBack = false;
  #isReleasing = false;
  #hasConflict = false;
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

  get isBusy(): boolean {
    return this.#isAdmitting;
  }

  /** Whether it has shown a token that was accepted. */
  get isKnown(): boolean {
    return this.claims !== null;
  }

  get hasHello(): boolean {
    return this.#hello !== null;
  }

  #failed(error: Error & { code?: string }): void {
    this.parts.log.debug({ reason: error.message }, 'connection failed');
    this.connection.brokenByPeer(error.code ?? '');
  }

  #awaitHello(): void {
    this.#hello = null;
    this.#timer = this.parts.wheel.after(this.parts.helloTimeoutMs, () => {
      this.parts.standstill.look();
      // After a standstill the hello may lie in the socket, and wait to be read.
      this.parts.standstill.afterReading(() => {
        if (this.#hello !== null || this.connection.isEnded) return;
        if (this.#inbound.isHeld) this.#awaitHello();
        else this.connection.end('hello_timeout');
      });
    });
  }

  handle(message: ClientMessage): void {
    const fault = this.#outOfPlace(message);
    if (fault !== null) {
      this.#inbound.strike({ code: 'bad_message', message: fault });
      return;
    }
    switch (message.type) {
      case 'hello':
        this.#hello = message;
        this.#timer?.cancel();
        this.#timer = null;
        void this.#claim(message.onConflict ?? 'takeover');
        break;
      case 'takeover':
        this.#hasConflict = false;
        void this.#claim('takeover');
        break;
      case 'refresh':
        this.#refresh(message.token);
        break;
      case 'release':
        this.#release();
        break;
      case 'activity':
      case 'answer':
        break;
    }
  }

  /** Why a message may not come at this point, or null when it may. */
  #outOfPlace(message: ClientMessage): string | null {
    if (this.#hello === null) return message.type === 'hello' ? null : 'hello comes first';
    if (message.type === 'hello') return 'hello comes once';
    if (message.type === 'takeover' && !this.#hasConflict) return 'takeover answers a conflict';
    if (message.type === 'answer') return 'answer without a takeover_requested';
    return null;
  }

  async #claim(onConflict: ConflictPolicy): Promise<void> {
    const hello = this.#hello;
    if (hello === null || this.#isAdmitting) return;
    this.#isAdmitting = true;
    const trace = this.#trace ?? this.parts.tracing.begin('connect');
    this.#trace = null;
    const visit: Visit = {
      link: this.connection,
      hello,
      onConflict,
      isGone: () => this.connection.isEnded,
      claims: this.claims,
      session: null,
      answer: null,
      trace,
    };
    try {
      this.#session = await admit(visit, this.parts.admission);
    } catch (error) {
      this.parts.log.error({ reason: String(error) }, 'admission failed');
      this.connection.end('overloaded');
    }
    trace?.end(factsOf(visit));
    this.#isAdmitting = false;
    this.claims = visit.claims;
    if (this.connection.isEnded) {
      this.#leave(visit);
      return;
    }
    if (visit.answer?.outcome === 'conflict') this.#awaitTakeover();
    // Only what a later version understands was refused: another hello may follow.
    else if (this.#session === null && visit.answer === null) this.#awaitHello();
    this.#inbound.resume();
  }

  /** The connection ended during admission. The seat stays for a resume, unless it was given back meanwhile. */
  #leave({ session, answer }: Visit): void {
    if (session === null) return;
    session.markEnded();
    this.parts.admission.registry.remove(session);
    const wantsNone = this.#isGivenBack || this.#inbound.awaits('release');
    if (answer?.outcome === 'granted' && wantsNone) void this.#giveBack(session);
  }

  /** The connection stays open for a person's choice, as long as the peer lives and the token holds. */
  #awaitTakeover(): void {
    this.#hasConflict = true;
    const beat = () => {
      if (!this.#hasConflict) return;
      if (this.connection.isSilent()) this.connection.end('no_pong');
      if ((this.claims?.expiresAtMs ?? 0) <= this.parts.wallMs()) this.connection.end('token_expired');
      if (this.connection.isEnded) return;
      this.connection.pingWith(null);
      this.#timer = this.parts.wheel.after(this.parts.renewEveryMs, beat);
    };
    this.#timer = this.parts.wheel.after(this.parts.renewEveryMs, beat);
  }

  #refresh(token: string): void {
    const isSamePerson = ({ user, org }: ClientClaims) =>
      user === this.claims?.user && org === this.claims.org;
    const verdict = this.parts.admission.gate.judge(token, 'refresh', isSamePerson);
    if (!verdict.ok) {
      const notYet = notYetAccepted(verdict);
      // The session goes on under the token that it has, and ends with that one.
      if (notYet !== null) this.connection.send(notYet);
      else this.connection.end(verdict.reason === 'expired' ? 'token_expired' : 'unauthorized');
      return;
    }
    this.claims = verdict.claims;
    if (this.#session?.isLive)
      this.parts.admission.tokenWatch.watch(this.#session, verdict.claims.expiresAtMs);
  }

  #release(): void {
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    const session = this.#session?.isLive ? this.#session : null;
    if (session === null) {
      this.connection.end('released');
      return;
    }
    // The seat first, the close after: who sees the close may count on a free seat.
    void this.#giveBack(session).finally(() => this.connection.end('released'));
    // A renewal still under way must not report the seat as lost to somebody who gives it back.
    session.markEnded();
  }

  /** Never rejects. A seat that cannot be given back ends with its TTL. */
  async #giveBack(session: Session): Promise<void> {
    const { story } = this.parts.admission;
    try {
      await this.parts.release(session.lease());
      story.released(session);
    } catch (error) {
      story.releaseFailed(session, error);
    }
  }

  #closed(code: number): void {
    // A normal close is a graceful end; any other is a lost connection, and the seat waits for a resume [broker-seat-stays].
    this.#isGivenBack = code === 1000 && !this.connection.isEnded;
    const wantsNone = this.#isGivenBack || (!this.#isAdmitting && this.#inbound.awaits('release'));
    if (wantsNone && this.#session?.isLive) {
      void this.#giveBack(this.#session);
      this.#session.markEnded();
    }
    this.connection.closedByPeer(code);
    this.onClosed();
  }

  #detach(reason: string): void {
    this.#timer?.cancel();
    this.#inbound.stop();
    this.#trace?.end({ outcome: 'closed' });
    this.#hasConflict = false;
    if (this.#session !== null) {
      // Not where it has already been evicted or released.
      if (this.#session.isLive) this.parts.admission.story.lostConnection(this.#session, reason);
      this.#session.markEnded();
      this.parts.admission.registry.remove(this.#session);
    }
  }
}
