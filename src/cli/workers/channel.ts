/** A message between the supervisor and a worker. */
type Message =
  | { readonly ask: number; readonly about: string; readonly body?: unknown }
  | { readonly answer: number; readonly value?: unknown; readonly failed?: string }
  | { readonly tell: string; readonly body?: unknown };

export interface Port {
  send(message: Message): void;
  onMessage(listener: (message: unknown) => void): void;
}

// biome-ignore lint/suspicious/noExplicitAny: each name has its own body; those who use a name know it
type Handlers = Readonly<Record<string, (body: any) => unknown>>;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Questions with answers, and notes without, over the channel of a child process. Both ends have one. */
export class Channel {
  #asked = 0;
  readonly #waiting = new Map<number, Waiting>();
  #isClosed = false;

  constructor(
    private readonly port: Port,
    private readonly handlers: Handlers,
  ) {
    port.onMessage((message) => this.#receive(message as Message));
  }

  /** Rejects when the other end fails to answer, or is gone. */
  ask(about: string, body?: unknown): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Error('the other process is gone'));
    const ask = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(ask, { resolve, reject });
      this.port.send({ ask, about, body });
    });
  }

  tell(about: string, body?: unknown): void {
    if (!this.#isClosed) this.port.send({ tell: about, body });
  }

  /** The other end is gone. */
  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) reject(new Error('the other process is gone'));
    this.#waiting.clear();
  }

  #receive(message: Message): void {
    if ('answer' in message) {
      this.#settle(message);
      return;
    }
    // Others speak over this channel too: Node itself.
    const about = 'tell' in message ? message.tell : message.about;
    const handler = this.handlers[about];
    if (handler === undefined) return;
    if ('tell' in message) handler(message.body);
    else void this.#answer(message.ask, handler, message.body);
  }

  async #answer(answer: number, handler: (body: unknown) => unknown, body: unknown): Promise<void> {
    try {
      this.port.send({ answer, value: await handler(body) });
    } catch (error) {
      this.port.send({ answer, failed: String(error) });
    }
  }

  #settle({ answer, value, failed }: Extract<Message, { answer: number }>): void {
    const waiting = this.#waiting.get(answer);
    this.#waiting.delete(answer);
    if (failed === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(failed));
  }
}
