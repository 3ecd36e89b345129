import http from 'node:http';
import https from 'node:https';
import { VERSION } from '../base/version.js';
import type { Webhook } from '../store/webhooks.js';
import { AddressRefused, publicLookup, refusePrivateHost } from './addresses.js';
import { type Message, signatureOf } from './message.js';

export type SendOutcome =
  | { readonly outcome: 'delivered'; readonly status: number }
  | {
      readonly outcome: 'failed';
      /** For people. */
      readonly error: string;
      /** What the receiver asked for in Retry-After. */
      readonly retryAfterMs: number | null;
      /** 410: the receiver says that it is there no more. */
      readonly isGone: boolean;
    };

export interface SenderOptions {
  /** Whether URLs may lead into private networks, and need no TLS. */
  readonly allowPrivate: boolean;
  /** Unix ms, for signatures. */
  readonly wallMs: () => number;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;
const CONNECTIONS_PER_HOST = 64;
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Posts messages. Follows no redirects, and judges the receiver’s address at every new connection. */
export class Sender {
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent };

  constructor(private readonly options: SenderOptions) {
    const kept = {
      keepAlive: true,
      maxSockets: CONNECTIONS_PER_HOST,
      ...(options.allowPrivate ? {} : { lookup: publicLookup }),
    };
    this.#agents = { http: new http.Agent(kept), https: new https.Agent(kept) };
  }

  /** Never rejects. */
  async send(webhook: Webhook, message: Message): Promise<SendOutcome> {
    const { allowPrivate, wallMs, timeoutMs = TIMEOUT_MS } = this.options;
    try {
      const url = new URL(webhook.url);
      if (!allowPrivate) refusePrivateHost(url);
      const headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(message.body)),
        'user-agent': `Soleseat/${VERSION}`,
        ...signatureOf(webhook, message, wallMs()),
      };
      return readAnswer(await this.#post(url, headers, message.body, timeoutMs), wallMs());
    } catch (error) {
      return {
        outcome: 'failed',
        error: wordsFor(error as Error, timeoutMs),
        retryAfterMs: null,
        isGone: false,
      };
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #post(url: URL, headers: Record<string, string>, body: string, timeoutMs: number) {
    const isPlain = url.protocol === 'http:';
    const agent = isPlain ? this.#agents.http : this.#agents.https;
    const overdue = new AbortController();
    const options = { method: 'POST', headers, agent, signal: overdue.signal };
    return new Promise<http.IncomingMessage>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const request = (isPlain ? http : https).request(url, options, (response) => {
        // The body is nobody’s business; the connection is used again once it has been read.
        response
          .on('error', reject)
          .on('end', () => resolve(response))
          .resume();
      });
      // Waiting for a connection of its own is no fault of the receiver.
      request.once('socket', () => {
        timer = setTimeout(() => overdue.abort(), timeoutMs);
      });
      // Also where the answer is none, as to a change of protocol.
      request.once('close', () => {
        clearTimeout(timer);
        reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
      });
      request.on('error', reject).end(body);
    });
  }
}

function readAnswer({ statusCode: status = 0, headers }: http.IncomingMessage, nowMs: number): SendOutcome {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  const isRedirect = status >= 300 && status < 400;
  // Seconds or a date (RFC 9110, section 10.2.3).
  const wish = headers['retry-after'] ?? '';
  const wishMs = /^\d+$/.test(wish) ? Number(wish) * 1000 : Date.parse(wish) - nowMs;
  const retryAfterMs = wishMs > 0 ? Math.min(wishMs, MAX_RETRY_AFTER_MS) : null;
  return {
    outcome: 'failed',
    error: isRedirect ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`,
    retryAfterMs,
    isGone: status === 410,
  };
}

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'host not found',
  EAI_AGAIN: 'the name server does not answer',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  EHOSTUNREACH: 'host out of reach',
  ENETUNREACH: 'network out of reach',
};

function wordsFor(
  error: Error & { readonly code?: string; readonly errors?: readonly Error[] },
  timeoutMs: number,
) {
  if (error instanceof AddressRefused) return error.message;
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return `no answer within ${timeoutMs / 1000} s`;
  const code = error.code ?? (error.errors?.[0] as { code?: string } | undefined)?.code ?? '';
  if (code.startsWith('HPE_')) return `the answer is no HTTP (${code})`;
  // Codes of TLS say less than their messages.
  return words[code] ?? error.message;
}
