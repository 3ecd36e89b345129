import { type Cause, statusCause } from './cause.js';

const PROBE_TIMEOUT_MS = 3_000;
/** A broker in trouble is not asked by all its clients at every attempt. */
const PAUSE_MS = 30_000;

/**
 * Asks the broker by HTTP why it does not let a WebSocket in, for platforms that do not tell: a browser shows a page neither
 * the status nor the error of a handshake.
 */
export class Probe {
  private askedMs = Number.NEGATIVE_INFINITY;
  private last: Cause | null = null;

  constructor(private readonly url: string) {}

  async ask(token: string): Promise<Cause> {
    const nowMs = performance.now();
    if (this.last === null || nowMs - this.askedMs > PAUSE_MS) {
      this.askedMs = nowMs;
      this.last = await this.fetch(token);
    }
    return this.last;
  }

  private async fetch(token: string): Promise<Cause> {
    try {
      const { status, headers } = await fetch(sessionAddress(this.url), {
        headers: { authorization: `Bearer ${token}` },
        cache: 'no-store',
        signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      });
      if (status !== 200) return statusCause(status, headers.get('retry-after'));
      return {
        kind: 'network',
        message: 'The broker answers, but no WebSocket gets through: does a proxy or a firewall hold it up?',
      };
    } catch {
      return { kind: 'network', message: unreachable(this.url) };
    }
  }
}

/** `GET /v1/session` beside `/v1/connect`, whatever a proxy put before the two. */
function sessionAddress(url: string): URL {
  const address = new URL('session', url);
  address.protocol = address.protocol === 'wss:' ? 'https:' : 'http:';
  address.search = '';
  return address;
}

function unreachable(url: string): string {
  const { origin } = (globalThis as { readonly location?: { readonly origin?: string } }).location ?? {};
  const host = new URL(url).host;
  // To a page both look the same: the browser does not say which it is.
  const orForbidden = origin === undefined ? '' : `, or its SOLESEAT_ORIGINS does not list ${origin}`;
  return `${host} cannot be reached${orForbidden}.`;
}
