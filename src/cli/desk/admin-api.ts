import { CommandFailure, exitCodes, type FailureFacts } from '../failure.js';
import { refusalOf, subjectOf } from './refusal.js';

/** One page of a list, as the admin API gives it. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface AdminApiOptions {
  readonly url: string;
  readonly token: string;
  /** How long an answer may take to begin. */
  readonly patienceMs?: number;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  readonly text?: { readonly type: string; readonly body: string | Uint8Array<ArrayBuffer> };
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer begins when the work is done: there is no patience to lose. */
  readonly isSlow?: boolean;
}

const PATIENCE_MS = 30_000;

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The admin API from outside. Every failure is a CommandFailure with a sentence and an exit code. */
export class AdminApi {
  constructor(private readonly options: AdminApiOptions) {}

  async call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    const response = await this.open(method, path, options);
    const text = await response.text().catch(lost);
    return (text === '' ? undefined : readAnswer(text)) as T;
  }

  /** The answer with its body still to be read. */
  async open(method: Method, path: string, options: CallOptions = {}): Promise<Response> {
    const url = new URL(path, this.options.url);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const type = options.text?.type ?? (options.json === undefined ? undefined : 'application/json');
    const body =
      options.text?.body ?? (options.json === undefined ? undefined : JSON.stringify(options.json));
    const headers = {
      authorization: `Bearer ${this.options.token}`,
      ...(type !== undefined && { 'content-type': type }),
      ...options.headers,
    };
    const call = { method, headers, ...(body !== undefined && { body }) };
    const subject = subjectOf(path, options.json);
    const response = await this.#answerTo(url, call, subject, options.isSlow === true);
    if (!response.ok) throw await refusalOf(response, subject);
    return response;
  }

  /** The answer's headers, or 69: a port that accepts and stays silent must not hold a script for ever. */
  async #answerTo(url: URL, call: RequestInit, subject: FailureFacts, isSlow: boolean): Promise<Response> {
    const { patienceMs = PATIENCE_MS } = this.options;
    const patience = new AbortController();
    const outOfPatience = () => patience.abort(new Error(`no answer within ${patienceMs / 1000} s`));
    const timer = isSlow ? undefined : setTimeout(outOfPatience, patienceMs);
    try {
      return await fetch(url, { ...call, signal: patience.signal });
    } catch (error) {
      throw new CommandFailure(
        `no broker answers at ${url.origin} (${causeOf(error)}). Is it running, and is --url its admin address?`,
        exitCodes.unavailable,
        subject,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** Every item of a list, page by page, until so many. */
  async *list<T>(
    path: string,
    query: CallOptions['query'] = {},
    atMost = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<T> {
    let given = 0;
    for (let cursor: string | undefined; ; ) {
      const limit = Math.min(500, atMost - given);
      const page: ListPage<T> = await this.call('GET', path, { query: { ...query, limit, cursor } });
      for (const item of page.items) {
        yield item;
        given += 1;
        if (given >= atMost) return;
      }
      if (page.next === null) return;
      cursor = page.next;
    }
  }

  /** The lines of a streamed answer as they come. */
  async *lines(response: Response): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of response.body ?? []) {
        const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
        rest = parts.pop() ?? '';
        yield* parts;
      }
    } catch {
      lost();
    }
    if (rest !== '') yield rest;
  }

  /**
   * The data of server-sent events, from that event on where one is named; goes on where it was after a lost
   * connection, until the signal.
   */
  async *follow<T>(
    path: string,
    query: CallOptions['query'],
    signal: AbortSignal,
    after?: string,
  ): AsyncGenerator<T> {
    let lastId = after;
    while (!signal.aborted) {
      const headers = {
        accept: 'text/event-stream',
        ...(lastId !== undefined && { 'last-event-id': lastId }),
      };
      const response = await this.open('GET', path, { ...(query && { query }), headers });
      let id = lastId;
      try {
        for await (const line of this.lines(response)) {
          if (line.startsWith('id:')) id = line.slice(3).trim();
          if (!line.startsWith('data:')) continue;
          yield JSON.parse(line.slice(5)) as T;
          // Not before: an event of which only the id came is to be asked for again.
          lastId = id;
        }
      } catch {
        // The connection was lost: the next attempt says so, if it fails.
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function lost(): never {
  throw new CommandFailure('the connection to the broker was lost', exitCodes.unavailable);
}

function readAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandFailure(
      'the answer is not JSON: is --url the admin address of a broker?',
      exitCodes.failed,
    );
  }
}

function causeOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
