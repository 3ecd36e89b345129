import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'up' | 'down';

interface Waiting {
  readonly chunk: Buffer;
  dueMs: number;
}

export interface RelayOptions {
  /** The port to go on to, or null where nobody is there. */
  readonly target: () => number | null;
  /** Whether what comes down (from the target) on a connection that began with these bytes is thrown away. */
  readonly losesDown?: (opening: string) => boolean;
  /** Gives each connection a listener of its own. */
  readonly listen?: () => Listener;
}

/** Hears what passes on one connection. It may hold the relay while it is told. */
export interface Listener {
  /** Something came from the client. It may have to wait in the relay. */
  readonly onUp?: (chunk: Buffer) => void;
  /** Something came from the target, and may have to wait in the relay. It goes on in these pieces. */
  readonly onDown?: (chunk: Buffer) => readonly Buffer[];
  /** A piece goes on to the client. */
  readonly onDelivered?: (piece: Buffer) => void;
  /** The client has closed the connection, or lost it. */
  readonly onLeft?: () => void;
}

/**
 * Stands in a TCP path and does to it what a network does: cuts it, holds one direction or both, delays.
 * What was held is delivered in the end, as TCP would, unless the path is cut meanwhile.
 */
export class Relay {
  readonly #held = { up: false, down: false };
  readonly #pairs = new Set<Pair>();
  #delayMs = 0;
  #isCut = false;
  /** When something was last delivered downwards. */
  lastDownMs = 0;

  private constructor(
    private readonly server: Server,
    private readonly options: RelayOptions,
  ) {}

  static async start(options: RelayOptions): Promise<Relay> {
    const server = createServer((client) => relay.#join(client));
    const relay: Relay = new Relay(server, options);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Breaks what is open; with `refuses`, also whatever comes, until `heal`. */
  cut({ refuses }: { readonly refuses: boolean }): void {
    this.#isCut ||= refuses;
    for (const pair of this.#pairs) pair.destroy();
  }

  hold(...directions: Direction[]): void {
    for (const direction of directions) this.#held[direction] = true;
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  heal(): void {
    this.#isCut = false;
    this.#delayMs = 0;
    this.#held.up = false;
    this.#held.down = false;
    for (const pair of this.#pairs) pair.hurry();
  }

  stop(): void {
    this.cut({ refuses: true });
    this.server.close();
  }

  #join(client: Socket): void {
    const port = this.#isCut ? null : this.options.target();
    client.on('error', () => client.destroy());
    if (port === null) {
      client.destroy();
      return;
    }
    const pair = new Pair(client, connect(port, '127.0.0.1'), {
      isHeld: (direction) => this.#held[direction],
      delayMs: () => this.#delayMs,
      isLost: (opening) => this.options.losesDown?.(opening) ?? false,
      listener: this.options.listen?.() ?? {},
      onDown: () => {
        this.lastDownMs = performance.now();
      },
      onEnd: () => this.#pairs.delete(pair),
    });
    this.#pairs.add(pair);
  }
}

interface PairRules {
  readonly isHeld: (direction: Direction) => boolean;
  readonly delayMs: () => number;
  readonly isLost: (opening: string) => boolean;
  readonly listener: Listener;
  readonly onDown: () => void;
  readonly onEnd: () => void;
}

const OPENING_BYTES = 4096;

/** One connection through a relay. An end travels behind the bytes before it, and is held like them. */
class Pair {
  readonly #queues: Readonly<Record<Direction, Waiting[]>> = { up: [], down: [] };
  readonly #ended = { up: false, down: false };
  #opening = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly client: Socket,
    private readonly target: Socket,
    private readonly rules: PairRules,
  ) {
    for (const socket of [client, target]) socket.setNoDelay(true).on('error', () => {});
    client.on('data', (chunk) => {
      if (this.#opening.length < OPENING_BYTES) this.#opening += chunk.toString('latin1');
      rules.listener.onUp?.(chunk);
      this.#enqueue('up', [chunk]);
    });
    target.on('data', (chunk) => {
      const pieces = rules.listener.onDown?.(chunk) ?? [chunk];
      if (!rules.isLost(this.#opening)) this.#enqueue('down', pieces);
    });
    client.on('close', () => {
      rules.listener.onLeft?.();
      this.#end('up');
    });
    target.on('close', () => this.#end('down'));
  }

  destroy(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.client.destroy();
    this.target.destroy();
    this.rules.onEnd();
  }

  /** What waits is delivered at once. */
  hurry(): void {
    for (const queue of Object.values(this.#queues)) for (const one of queue) one.dueMs = 0;
    this.pump();
  }

  pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const nowMs = performance.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const direction of ['up', 'down'] as const) {
      const queue = this.#queues[direction];
      const isDue = () => queue[0] !== undefined && queue[0].dueMs <= nowMs && !this.rules.isHeld(direction);
      while (isDue()) this.#pass(direction, queue.shift());
      if (this.rules.isHeld(direction)) continue;
      if (queue[0] !== undefined) nextMs = Math.min(nextMs, queue[0].dueMs - nowMs);
      else if (this.#ended[direction]) {
        this.destroy();
        return;
      }
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.pump(), nextMs);
  }

  #pass(direction: Direction, one: Waiting | undefined): void {
    if (one === undefined) return;
    if (direction === 'up') {
      this.target.write(one.chunk);
      return;
    }
    this.rules.onDown();
    if (!this.client.destroyed) this.rules.listener.onDelivered?.(one.chunk);
    this.client.write(one.chunk);
  }

  #enqueue(direction: Direction, chunks: readonly Buffer[]): void {
    const dueMs = performance.now() + this.rules.delayMs();
    this.#queues[direction].push(...chunks.map((chunk) => ({ chunk, dueMs })));
    this.pump();
  }

  #end(direction: Direction): void {
    this.#ended[direction] = true;
    this.pump();
  }
}
