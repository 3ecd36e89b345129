import { connect } from '#client/node.js';
import type { Answer, Notice } from './demo-judge.js';
import type { Wire } from './demo-wire.js';

type Client = ReturnType<typeof connect>;

const TIMEOUT_MS = 6000;

/** A desktop program on a machine, made with the client library. */
export class Program {
  private constructor(
    readonly client: Client,
    readonly machine: string,
  ) {}

  static start(machine: string, wire: Wire, token: () => string, onConflict: 'takeover' | 'deny'): Program {
    const client = connect({
      url: wire.url,
      getToken: token,
      machine: { id: `demo-${machine}`, name: machine },
      onConflict,
      client: { name: 'soleseat-demo', version: '0.1.0' },
      // Seconds of patience would be dull to watch.
      backoff: { firstMs: 150, maxMs: 300 },
    });
    return new Program(client, machine);
  }

  /** What the broker answers next. The time counts from `startedMs`, or from now. */
  answer(startedMs = performance.now()): Promise<Answer> {
    const since = () => performance.now() - startedMs;
    return this.#within<Answer>('an answer', (resolve) => [
      this.client.on('welcome', ({ sessionId, epoch, resumed, displaced }) =>
        resolve({
          kind: 'welcome',
          ms: since(),
          sessionId,
          epoch,
          resumed,
          displaced: displaced === undefined ? null : (displaced.machine.name ?? 'a machine without a name'),
        }),
      ),
      this.client.on('conflict', ({ holder }) =>
        resolve({ kind: 'conflict', ms: since(), holder: holder.machine.name ?? null }),
      ),
      this.client.on('denied', ({ reason }) => resolve({ kind: 'denied', ms: since(), reason })),
    ]);
  }

  /** The next notice that the seat is lost, with the close that follows. The time counts from `startedMs`. */
  notice(startedMs = performance.now()): Promise<Notice> {
    let told: Omit<Notice, 'closeCode'> | null = null;
    let closeCode: number | null = null;
    return this.#within<Notice>('a notice', (resolve) => {
      const settle = () => {
        if (told !== null && closeCode !== null) resolve({ ...told, closeCode });
      };
      return [
        this.client.on('evicted', ({ reason, by, epoch }) => {
          told = { ms: performance.now() - startedMs, reason, by: by?.machine.name ?? null, epoch };
          settle();
        }),
        this.client.on('closed', ({ code }) => {
          closeCode = code;
          settle();
        }),
      ];
    });
  }

  /** Whether the lease is renewed once more. */
  renewal(): Promise<boolean> {
    const renewed = this.#within<boolean>('a renewal', (resolve) => [
      this.client.on('lease', () => resolve(true)),
    ]);
    return renewed.catch(() => false);
  }

  disconnected(): Promise<void> {
    return this.#within<void>('a lost connection', (resolve) => [
      this.client.on('reconnecting', () => resolve()),
    ]);
  }

  #within<T>(what: string, listen: (resolve: (value: T) => void) => (() => void)[]): Promise<T> {
    let offs: (() => void)[] = [];
    let timer: NodeJS.Timeout | undefined;
    const promise = new Promise<T>((resolve, reject) => {
      const late = () =>
        reject(new Error(`${this.machine} waited ${TIMEOUT_MS} ms for ${what}; it is ${this.client.state}`));
      // Nobody waits any more once the demo is interrupted.
      timer = setTimeout(late, TIMEOUT_MS).unref();
      offs = listen(resolve);
    }).finally(() => {
      clearTimeout(timer);
      for (const off of offs) off();
    });
    // Asked for before the act that causes it, so it may fail while something else is awaited.
    promise.catch(() => {});
    return promise;
  }
}
