import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WebSocket } from 'ws';
import type { connect, SessionClient, WebSocketClass } from '../packages/client/src/index.js';
import { keyRingFromSecret } from '../src/auth/read-keys.js';
import { mintToken } from '../src/auth/tokens.js';
import type { HoldingEnd } from './history.js';
import { Random } from './random.js';
import { ASK_WAIT_MS, ORG, SECRET } from './timing.js';

const [key] = keyRingFromSecret(SECRET).keys;
const BACKOFF = { firstMs: 200, maxMs: 1000 };
const CONNECT_TIMEOUT_MS = 2500;

/** What a seat does and hears, in the order in which it happens. Times are in ms of the checker's clock. */
export type SeatEvent = { readonly atMs: number } & (
  | { readonly type: 'dialled' | 'connected'; readonly talk: number }
  | {
      readonly type: 'asked';
      readonly talk: number;
      readonly isAct: boolean;
      readonly displaces: boolean;
      readonly isAsking: boolean;
    }
  | { readonly type: 'heard'; readonly talk: number; readonly text: string }
  | { readonly type: 'hungUp'; readonly talk: number; readonly code: number }
  /** What it believes: until when it may count on the seat, and under which epoch. */
  | {
      readonly type: 'believes';
      readonly how: HoldingEnd;
      readonly untilMs: number | null;
      readonly epoch: number | null;
    }
  | { readonly type: 'state'; readonly state: string; readonly previous: string }
  | { readonly type: 'closed'; readonly code: number }
  | { readonly type: 'released' }
  | { readonly type: 'left'; readonly askedMs: number; readonly forMs: number }
);

export interface SeatPlan {
  readonly name: string;
  readonly user: string;
  readonly machine: string;
  readonly port: number;
  readonly onConflict: 'takeover' | 'deny' | 'ask';
  /** Whether its person answers questions for the seat. */
  readonly answers: boolean;
}

/** A desktop program's hold on the seat, in this process or in another. */
export interface Seat {
  takeOver(): void;
  release(): void;
  /** Takes the seat along, where it can. */
  leave(forMs: number): void;
  /** Nobody is at work for so long. */
  nap(forMs: number): void;
  /** The process is gone, its connection with it. */
  crash(): void;
  disconnect(): void;
  /** Says what it believes at present. */
  tell(): void;
}

export interface SeatParts {
  readonly connect: typeof connect;
  /** The time on the checker's clock. */
  readonly now: () => number;
  readonly listener: (event: SeatEvent) => void;
}

/** `node`: as a desktop program has it; else with the clocks that every platform has. */
export async function loadLibrary(dist: string, variant: 'node' | 'index'): Promise<typeof connect> {
  const module = await import(
    pathToFileURL(join(dist, '..', 'packages', 'client', 'dist', 'esm', `${variant}.js`)).href
  );
  return module.connect as typeof connect;
}

/** The client library as it is. All that it sends, hears and believes is told. */
export class LibrarySeat implements Seat {
  readonly #client: SessionClient;
  #socket: WebSocket | null = null;
  #talks = 0;
  #hasAsked = false;
  #isOver = false;
  /** When somebody was last at work, and until when nobody is. */
  #workedMs: number;
  #napUntilMs = 0;

  constructor(
    plan: SeatPlan,
    private readonly parts: SeatParts,
  ) {
    const { name, user, machine, port, onConflict, answers } = plan;
    const random = new Random(name);
    const person = random.fork('answers');
    this.#workedMs = parts.now();
    this.#client = parts.connect({
      url: `ws://127.0.0.1:${port}/v1/connect`,
      getToken: () => tokenFor(user),
      machine: { id: `${user}/${machine}`, name: machine },
      onConflict,
      WebSocket: this.#recordedSocket(),
      backoff: BACKOFF,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      random: () => random.next(),
      ...(answers && {
        onTakeoverRequested: () => this.#answer(person),
        idleMs: () => parts.now() - this.#workedMs,
      }),
    });
    this.#listen();
  }

  takeOver(): void {
    this.#hasAsked = false;
    this.#client.takeOver();
  }

  release(): void {
    const released = this.#client.release();
    this.#believe('released');
    void released.then(() => this.#tell({ type: 'released' }));
  }

  leave(forMs: number): void {
    const askedMs = this.parts.now();
    if (!this.#client.requestLeave(forMs)) return;
    this.#client.on('left', () => {
      this.#believeNothing('left');
      this.parts.listener({ type: 'left', atMs: this.parts.now(), askedMs, forMs });
    });
  }

  /** A person takes a moment, says yes or no, needs more time, or does not look. */
  #answer(person: Random): void {
    const says = person.next();
    setTimeout(
      () => {
        if (says < 0.45) this.#client.answer(true);
        else if (says < 0.7) this.#client.answer(false);
        else if (says < 0.85) this.#client.answer(true, 800);
      },
      person.between(0, ASK_WAIT_MS * 1.1),
    );
  }

  crash(): void {
    this.#believeNothing('crashed');
    this.#socket?.terminate();
    this.disconnect();
  }

  disconnect(): void {
    this.#believeNothing('end');
    this.#client.disconnect();
  }

  tell(): void {
    this.#believe('deadline');
    if (this.#isOver || this.parts.now() < this.#napUntilMs) return;
    this.#workedMs = this.parts.now();
    this.#client.activity();
  }

  nap(forMs: number): void {
    this.#napUntilMs = this.parts.now() + forMs;
  }

  #listen(): void {
    const client = this.#client;
    client.on('lease', () => this.#believe('regranted'));
    client.on('leaseExpired', () => this.#believe('deadline'));
    client.on('evicted', () => this.#believe('evicted'));
    client.on('conflict', () => this.#believe('evicted'));
    client.on('welcome', () => this.#believe('regranted'));
    client.on('state', ({ state, previous }) => this.#tell({ type: 'state', state, previous }));
    client.on('closed', ({ code }) => {
      this.#believe('left');
      this.#tell({ type: 'closed', code });
    });
  }

  #believe(how: HoldingEnd): void {
    if (this.#isOver) return;
    const client = this.#client;
    const deadline = client.holdsLease() ? client.leaseDeadline : null;
    const untilMs = deadline === null ? null : deadline - performance.now() + this.parts.now();
    this.#tell({ type: 'believes', how, untilMs, epoch: client.epoch });
  }

  /** The program is gone: whatever its library says now, nobody asks it. */
  #believeNothing(how: HoldingEnd): void {
    if (this.#isOver) return;
    this.#tell({ type: 'believes', how, untilMs: null, epoch: null });
    this.#isOver = true;
  }

  #recordedSocket(): WebSocketClass {
    const opened = (socket: WebSocket) => this.#opened(socket);
    const sent = (talk: number, text: string) => this.#sent(talk, text);
    return class extends WebSocket {
      readonly #talk: number;

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
  #opened(socket: WebSocket): number {
    const talk = ++this.#talks;
    this.#socket = socket;
    this.#tell({ type: 'dialled', talk });
    socket.on('upgrade', () => this.#tell({ type: 'connected', talk }));
    socket.on('message', (data) => this.#tell({ type: 'heard', talk, text: String(data) }));
    socket.on('close', (code) => this.#tell({ type: 'hungUp', talk, code }));
    return talk;
  }

  #sent(talk: number, text: string): void {
    const { type, onConflict, resume } = JSON.parse(text) as {
      type: string;
      onConflict?: string;
      resume?: object;
    };
    if (type !== 'hello' && type !== 'takeover') return;
    // A program that starts asks for a person, also where it displaces nobody; so does the next attempt of one whose
    // first came to nothing. By naming a session it only comes back.
    const isFirst = !this.#hasAsked && resume === undefined;
    const displaces = type === 'takeover' || onConflict === 'takeover';
    const isAsking = type === 'hello' && onConflict === 'ask';
    this.#hasAsked = true;
    this.#tell({ type: 'asked', talk, isAct: displaces || isFirst, displaces, isAsking });
  }

  #tell<E extends Untimed<SeatEvent>>(event: E): void {
    this.parts.listener({ ...event, atMs: this.parts.now() } as unknown as SeatEvent);
  }
}

type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never;

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
