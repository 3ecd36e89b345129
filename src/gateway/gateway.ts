import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import { WebSocketServer } from 'ws';
import { CONNECT_PATH, SUBPROTOCOL } from '#client/protocol/messages.js';
import { addressOf } from '../base/address.js';
import { firstEndOf } from '../base/certificates.js';
import { listenAt } from '../base/listening.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { Conversation, type ConversationParts } from './conversation.js';
import { proxyHint } from './doorkeeper.js';
import type { SharedDoor } from './group-door.js';
import { createHttpServer } from './http-server.js';
import type { Opening } from './opening.js';
import { answerRefusal } from './own-seat.js';
import { refusalOf } from './parser-faults.js';
import { judgePlainRequest, type PlainRequestParts, servePlainRequest } from './plain-requests.js';
import { ProxyDoor } from './proxy-protocol.js';
import { refuseSocket } from './refuse-socket.js';
import { TLS_OPTIONS, type TlsPair } from './tls.js';
import { judgeUpgrade, pathOf, type Refusal, type UpgradeRules } from './upgrade.js';
import { serveWithoutUpgrade } from './without-upgrade.js';

export interface GatewayParts {
  readonly conversation: ConversationParts;
  readonly rules: UpgradeRules;
  readonly door: SharedDoor;
  /** Whether Redis can be reached: without it no handshake is worth its while. */
  readonly isStoreReady: () => boolean;
  readonly own: Omit<PlainRequestParts, 'rules' | 'log'>;
  /** Where a request comes from, by trusted proxies; null without any. */
  readonly peerAddress: ((request: IncomingMessage) => string) | null;
  /** Tells the proxies that must begin every connection with the PROXY protocol; null where none is read. */
  readonly trustsProxy: ((address: string) => boolean) | null;
  readonly messageBytes: number;
  /** Null where what stands in front ends TLS, if anything does. */
  readonly tls: TlsPair | null;
  readonly log: Log;
  readonly metrics: Metrics;
}

const MAX_FRAGMENTS = 64;

/** The WebSocket door: the public port. */
export class Gateway {
  readonly #http: Server;
  readonly #hangUp: () => void;
  /** Null where connections come without the PROXY protocol. */
  readonly #proxyDoor: ProxyDoor | null;
  readonly #wss: WebSocketServer;
  readonly #conversations = new Set<Conversation>();
  /** The latest plain request of a connection, while it has no answer. */
  readonly #unanswered = new WeakMap<Duplex, ServerResponse>();
  #isDraining = false;

  constructor(private readonly parts: GatewayParts) {
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // Conversation answers pings: ws would cut off a flood of them without a close code.
      autoPong: false,
      maxPayload: parts.messageBytes,
      maxFragments: MAX_FRAGMENTS,
      // [broker-subprotocol]
      handleProtocols: () => SUBPROTOCOL,
    });
    if (parts.tls !== null) this.#showEnd(parts.tls);
    const { server, hangUp } = createHttpServer(parts.tls);
    this.#http = server;
    this.#hangUp = hangUp;
    this.#proxyDoor = parts.trustsProxy === null ? null : new ProxyDoor(server, parts.trustsProxy);
    this.#http.on('request', (request, response) => {
      this.#unanswered.set(request.socket, response);
      response.once('close', () => this.#answered(request.socket, response));
      this.#answer(request, response);
    });
    // It may have lain in the backlog of a node that stood still, with a request behind it.
    this.#http.on('connection', () => parts.conversation.standstill.heard());
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on('clientError', (error: Error & { code?: string }, socket) => {
      const refusal = refusalOf(error.code ?? '');
      if (refusal === null) socket.destroy();
      else this.#refuse(socket, refusal);
    });
  }

  /** Shows another certificate from the next connection on. Only where the port speaks TLS already. */
  useTls(pair: TlsPair): void {
    if (!(this.#http instanceof TlsServer)) return;
    this.#http.setSecureContext({ ...TLS_OPTIONS, ...pair });
    this.#showEnd(pair);
  }

  #showEnd({ cert }: TlsPair): void {
    this.parts.metrics.certificateEnd.set({ certificate: 'public' }, firstEndOf(cert));
  }

  #addressOf(request: IncomingMessage): string {
    return this.#forwarded(request) ?? request.socket.remoteAddress ?? '';
  }

  /** The address of a request's sender as trusted proxies tell it; null where they tell nothing. */
  #forwarded(request: IncomingMessage): string | null {
    if (this.#proxyDoor !== null) return this.#proxyDoor.addressBehind(request.socket) ?? null;
    return this.parts.peerAddress?.(request) ?? null;
  }

  get #listener(): NetServer {
    return this.#proxyDoor?.listener ?? this.#http;
  }

  get connections(): number {
    return this.#conversations.size;
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await listenAt(
      host,
      (at) =>
        new Promise<void>((resolve, reject) => {
          this.#listener.once('error', reject);
          this.#listener.listen({ host: at, port, backlog: 4096 }, () => {
            this.#listener.off('error', reject);
            resolve();
          });
        }),
    );
    this.#listener.on('error', (error) =>
      this.parts.log.error({ reason: error.message }, 'public server failed'),
    );
    return this.#listener.address() as AddressInfo;
  }

  /** Promise 12: refuses newcomers at once, moves clients away spread over `withinMs`, then is empty. */
  async drain(withinMs: number, random: () => number): Promise<void> {
    this.#isDraining = true;
    const moves = [...this.#conversations].map(
      (conversation) =>
        new Promise<void>((resolve) => {
          setTimeout(() => {
            const reconnectWithinMs = Math.min(1000, withinMs);
            // It may have been told to take newcomers again.
            if (this.#isDraining)
              conversation.connection.end('draining', { type: 'draining', reconnectWithinMs });
            resolve();
          }, random() * withinMs);
        }),
    );
    await Promise.all(moves);
  }

  /** Takes newcomers again. */
  reopen(): void {
    this.#isDraining = false;
  }

  /** Closes whatever is still open; a peer that ignores the close is cut off. The wheel must still turn. */
  async close(): Promise<void> {
    this.#isDraining = true;
    for (const { connection } of this.#conversations) connection.end('draining');
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()));
    this.#hangUp();
    this.#proxyDoor?.hangUp();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = judgePlainRequest(request);
    if (refusal === null) {
      // Counted like a handshake: tokens could be tried here as well.
      void this.parts.door
        .requested(addressOf(this.#addressOf(request)))
        .then((tooMany) =>
          servePlainRequest(request, response, { ...this.parts, ...this.parts.own }, tooMany),
        );
      return;
    }
    this.parts.metrics.refusals.inc({ status: refusal.status });
    answerRefusal(response, refusal, { Connection: 'close' });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const unanswered = this.#unanswered.get(socket);
    if (unanswered !== undefined) {
      socket.on('error', destroy);
      // The answer to the earlier request would be written into the WebSocket. It comes first, then the refusal.
      const refusal = {
        status: 400,
        message: 'an earlier request on this connection has no answer yet',
      } as const;
      unanswered.once('close', () => this.#refuse(socket, refusal));
      return;
    }
    // A WebSocket begins with GET: a HEAD is answered as if it did not offer one.
    if (pathOf(request) !== CONNECT_PATH || request.method === 'HEAD') {
      serveWithoutUpgrade(this.#http, request, socket, head);
      return;
    }
    socket.on('error', destroy);
    const { door } = this.parts;
    const address = door.minds ? addressOf(this.#addressOf(request)) : '';
    // Before the token is looked at: who tries many of them is to be slowed down too.
    const tooMany = door.knock(address);
    if (tooMany !== null) {
      this.#refuse(socket, tooMany);
      return;
    }
    const trace = this.parts.conversation.tracing.begin('connect');
    const handshake = trace?.step('handshake');
    const verdict = judgeUpgrade(request, this.parts.rules);
    if (!verdict.ok && verdict.isStranger) door.sawStranger(address);
    const isKnown = verdict.ok && verdict.claims !== null;
    const refuse = (refusal: Refusal) => {
      this.#refuse(socket, refusal);
      handshake?.end();
      trace?.end({ outcome: 'refused', status: refusal.status });
    };
    const refusal = verdict.ok ? (this.#judgeState() ?? door.judge(address, isKnown)) : verdict.refusal;
    if (refusal !== null || !verdict.ok) {
      door.turnedAway(address);
      refuse(refusal ?? { status: 400, message: 'refused' });
      return;
    }
    const open = () =>
      this.#open({ request, socket, head, address, claims: verdict.claims, trace, handshake });
    const asked = door.enter(address, isKnown);
    if (asked === null) return void open();
    void asked.then((refused) => {
      if (refused !== null) return refuse(refused);
      // It may have begun to drain meanwhile, or the peer may have gone.
      const late = this.#judgeState();
      if (late !== null) refuse(late);
      if (late !== null || !open()) door.gone(address);
    });
  }

  /** Makes a WebSocket of it. False where the peer has gone. */
  #open({ request, socket, head, address, claims, trace, handshake }: Opening): boolean {
    const { door } = this.parts;
    let isOpen = false;
    // ws wants this alone, where the client may have offered other protocols beside it.
    request.headers.upgrade = 'websocket';
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      isOpen = true;
      if (door.entered(address) && this.parts.peerAddress === null) this.parts.log.warn(proxyHint);
      const conversation: Conversation = new Conversation(
        ws,
        socket as Socket,
        claims,
        this.parts.conversation,
        () => {
          if (!this.#conversations.delete(conversation)) return;
          door.left(address);
          if (!conversation.isKnown) door.sawStranger(address);
        },
        trace,
        this.#forwarded(request),
      );
      handshake?.end();
      this.#conversations.add(conversation);
    });
    if (!isOpen) {
      handshake?.end();
      trace?.end({ outcome: 'gone' });
    }
    return isOpen;
  }

  #answered(socket: Duplex, response: ServerResponse): void {
    if (this.#unanswered.get(socket) === response) this.#unanswered.delete(socket);
  }

  #judgeState(): Refusal | null {
    const retry = { 'Retry-After': '2' };
    const draining = { message: 'this node is draining', limit: 'draining' } as const;
    if (this.#isDraining) return { status: 503, headers: retry, ...draining };
    if (!this.parts.isStoreReady())
      return { status: 503, message: 'no seat can be granted at present', headers: retry, limit: 'store' };
    return null;
  }

  #refuse(socket: Duplex, refusal: Refusal): void {
    this.parts.metrics.refusals.inc({ status: refusal.status });
    if (refusal.limit !== undefined) this.parts.metrics.admissionRefusals.inc({ limit: refusal.limit });
    refuseSocket(socket, refusal);
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}
