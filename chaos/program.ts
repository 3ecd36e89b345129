import { WebSocket } from 'ws';
import { keyRingFromSecret } from '../src/auth/keys.js';
import { mintToken } from '../src/auth/tokens.js';
import { connect, type SessionClient, type WebSocketClass } from '../src/client/index.js';
import type { ServerMessage, WelcomeMessage } from '../src/protocol/messages.js';
import type { BrokerNode } from './broker-node.js';
import type { Fence } from './fence.js';
import type { Ask, Grant, History, Holding, HoldingEnd, Silence } from './history.js';
import type { Random } from './random.js';
import { Relay } from './relay.js';
import { countedTtlMs, ORG, SECRET } from './timing.js';

const [key] = keyRingFromSecret(SECRET).keys;
const BACKOFF = { firstMs: 200, maxMs: 1000 };
const CONNECT_TIMEOUT_MS = 2500;

export interface ProgramParts {
  readonly history: History;
  readonly fence: Fence;
  readonly random: Random;
  /** Which node a front door would choose now; null where none is up. */
  readonly chooseNode: () => BrokerNode | null;
}

/** One connection: to which node, what was asked on it last, and what was granted. */
interface Talk {
  readonly node: string;
  ask: Ask | null;
  grant: Grant | null;
}

/**
 * A desktop program on one machine of a user: the client library as it is, on a path of its own to the nodes.
 * What it sends and what it believes goes into the history.
 */
export class Program {
  readonly seat: SessionClient;
  isRunning = true;
  #node = '?';
  /** The connection that the library goes by: the newest. */
  #talk: Talk | null = null;
  #holding: { readonly record: Holding; deadlineMs: number } | null = null;
  #socket: WebSocket | null = null;
  #broken: Silence | null = null;
  #held: Silence | null = null;

  private constructor(
    readonly name: string,
    readonly user: string,
    readonly machine: string,
    private readonly door: Relay,
    onConflict: 'takeover' | 'deny',
    private readonly parts: ProgramParts,
  ) {
    const { random, history } = parts;
    this.seat = connect({
      url: `ws://127.0.0.1:${door.port}/v1/connect`,
      getToken: () => tokenFor(user),
      machine: { id: `${user}/${machine}`, name: machine },
      onConflict,
      WebSocket: this.#recordedSocket(),
      backoff: BACKOFF,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      random: () => random.next(),
    });
    this.seat.on('lease', () => this.#look('regranted'));
    this.seat.on('leaseExpired', () => this.#look('deadline'));
    this.seat.on('evicted', () => this.#look('evicted'));
    this.seat.on('conflict', () => this.#look('evicted'));
    this.seat.on('welcome', () => this.#look('regranted'));
    this.seat.on('state', ({ state, previous }) => history.note(name, `state ${previous} -> ${state}`));
    this.seat.on('closed', ({ code }) => {
      this.#look('left');
      history.note(name, `closed for good (${code})`);
    });
  }

  static async start(
    name: string,
    user: string,
    machine: string,
    onConflict: 'takeover' | 'deny',
    parts: ProgramParts,
  ): Promise<Program> {
    const door = await Relay.start({
      target: () => {
        const node = parts.chooseNode();
        program.#node = node?.name ?? 'none';
        return node?.port ?? null;
      },
    });
    // The door is asked for its target only once the program dials.
    const program: Program = new Program(name, user, machine, door, onConflict, parts);
    return program;
  }

  /** The epoch under which it believes in its seat right now, or null. */
  get heldEpoch(): number | null {
    return this.isRunning && this.seat.holdsLease() ? this.seat.epoch : null;
  }

  /** Does a piece of the work that the license is for. */
  work(): void {
    const epoch = this.heldEpoch;
    if (epoch !== null) this.parts.fence.present(this.user, this.name, epoch);
  }

  /** The network breaks the connection; the library finds its way back. */
  cutConnection(): void {
    this.door.cut({ refuses: false });
  }

  silence(directions: readonly ('up' | 'down')[]): void {
    this.#held ??= this.#beginSilence();
    this.door.hold(...directions);
  }

  unsilence(): void {
    this.door.heal();
    if (this.#held !== null) this.#held.toMs = performance.now();
    this.#held = null;
  }

  async release(): Promise<void> {
    this.parts.history.releases.add(this.name);
    this.parts.history.note(this.name, 'releases');
    const released = this.seat.release();
    this.#end('released');
    await released;
    this.#leave();
  }

  /** The process is gone, its connection with it. */
  crash(): void {
    this.#end('crashed');
    this.#socket?.terminate();
    this.#leave();
  }

  /** The end of the run. */
  finish(): void {
    this.#end('end');
    this.#leave();
  }

  #leave(): void {
    this.isRunning = false;
    this.unsilence();
    this.seat.disconnect();
    this.door.stop();
  }

  #beginSilence(): Silence {
    const silence = { program: this.name, fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
    this.parts.history.silences.push(silence);
    return silence;
  }

  #recordedSocket(): WebSocketClass {
    const opened = (socket: WebSocket) => this.#opened(socket);
    const sent = (talk: Talk, text: string) => this.#sent(talk, text);
    return class extends WebSocket {
      readonly #talk: Talk;

      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        this.#talk = opened(this);
      }

      override send(data: string): void {
        sent(this.#talk, data);
        super.send(data);
      }
    } as unknown as WebSocketClass;
  }

  /** Listens before the library does. */
  #opened(socket: WebSocket): Talk {
    const talk: Talk = { node: '', ask: null, grant: null };
    this.#socket = socket;
    this.#talk = talk;
    // Until it has said hello nobody can tell it anything: the connection before this one is given up by now.
    if (this.isRunning) this.#broken ??= this.#beginSilence();
    socket.on('upgrade', () => Object.assign(talk, { node: this.#node }));
    socket.on('message', (data) => this.#heard(talk, JSON.parse(String(data)) as ServerMessage));
    socket.on('close', (code) => {
      this.#answer(talk, 'none');
      if (talk === this.#talk && this.isRunning) this.#broken ??= this.#beginSilence();
      this.parts.history.note(this.name, `connection closed (${code})`);
    });
    return talk;
  }

  #sent(talk: Talk, text: string): void {
    const { type } = JSON.parse(text) as { type: string };
    if (type !== 'hello' && type !== 'takeover') return;
    const askedMs = performance.now();
    if (this.#broken !== null) this.#broken.toMs = askedMs;
    this.#broken = null;
    const { name: program, user, machine } = this;
    talk.ask = { user, program, machine, node: talk.node, askedMs, answer: 'none', answeredMs: null };
    this.parts.history.asks.push(talk.ask);
  }

  /** Before the library hears of it. */
  #heard(talk: Talk, message: ServerMessage): void {
    const { history } = this.parts;
    switch (message.type) {
      case 'welcome':
        this.#welcomed(talk, message);
        break;
      case 'conflict':
        this.#answer(talk, 'conflict');
        break;
      case 'error':
        this.#answer(talk, 'none');
        history.note(this.name, `error ${message.code}`);
        break;
      case 'lease':
        if (talk.grant?.epoch === message.epoch) talk.grant.confirmed = this.#confirmation(message.ttlMs);
        break;
      case 'evicted': {
        const { reason, epoch: byEpoch } = message;
        // With a claim under way it was granted and displaced before anybody here heard its epoch.
        const epoch = talk.ask === null ? (talk.grant?.epoch ?? 0) : 0;
        const { user, name: program } = this;
        history.evictions.push({ user, program, epoch, byEpoch, reason, atMs: performance.now() });
        history.note(program, `evicted (${reason}) from epoch ${epoch} by ${byEpoch}`);
        break;
      }
    }
  }

  #welcomed(talk: Talk, { sessionId, epoch, resumed, ttlMs }: WelcomeMessage): void {
    const { name: program, user, machine } = this;
    const { history } = this.parts;
    const ackMs = performance.now();
    const askedMs = talk.ask?.askedMs ?? ackMs;
    this.#answer(talk, 'welcome');
    const confirmed = this.#confirmation(ttlMs);
    const { node } = talk;
    talk.grant = { user, program, machine, node, sessionId, epoch, resumed, askedMs, ackMs, confirmed };
    history.grants.push(talk.grant);
    history.note(program, `welcomed by ${node} with epoch ${epoch}${resumed ? ', resumed' : ''}`);
  }

  /** When the node sent the command behind this news, at the latest: the way of the news can only make it earlier. */
  #confirmation(ttlMs: number): Grant['confirmed'] {
    const heardMs = performance.now();
    return { sentMs: heardMs + ttlMs - countedTtlMs - this.door.recentDelayMs, heardMs };
  }

  /** A claim that got no answer of its own may have been granted all the same. */
  #answer(talk: Talk, answer: Ask['answer']): void {
    if (talk.ask === null) return;
    talk.ask.answer = answer;
    talk.ask.answeredMs = performance.now();
    talk.ask = null;
  }

  /** Compares what the library believes with what was noted last. */
  #look(how: HoldingEnd): void {
    const { leaseDeadline: deadlineMs, epoch } = this.seat;
    const open = this.#holding;
    const nowMs = performance.now();
    const isHeld = deadlineMs !== null && nowMs < deadlineMs;
    if (isHeld && open?.record.grant.epoch === epoch && nowMs < open.deadlineMs) {
      open.deadlineMs = deadlineMs;
      open.record.linkDelayMs = this.door.recentDelayMs;
      return;
    }
    this.#end(how);
    const grant = this.#talk?.grant ?? null;
    if (!isHeld || grant === null || !this.isRunning) return;
    const { recentDelayMs: linkDelayMs } = this.door;
    const record: Holding = { grant, fromMs: nowMs, toMs: nowMs, how: 'end', linkDelayMs };
    this.#holding = { record, deadlineMs };
    this.parts.history.holdings.push(record);
    this.work();
  }

  #end(how: HoldingEnd): void {
    if (this.#holding === null) return;
    const { record, deadlineMs } = this.#holding;
    record.toMs = Math.min(performance.now(), deadlineMs);
    record.how = deadlineMs <= performance.now() ? 'deadline' : how;
    this.#holding = null;
  }
}

function tokenFor(user: string): string {
  if (key === undefined) throw new Error('the key ring is empty');
  return mintToken({
    key,
    user,
    org: ORG,
    issuer: 'soleseat',
    audience: 'soleseat',
    expiresInSeconds: 86_400,
  });
}
