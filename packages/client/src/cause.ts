import { closeCodes } from './protocol/close-codes.js';

/** What kept a program from its broker. */
export type CauseKind =
  | 'status'
  | 'tls'
  | 'host_not_found'
  | 'refused'
  | 'timeout'
  | 'silence'
  | 'close'
  | 'token'
  | 'network';

/** Why a connection ended, or did not come about. */
export interface Cause {
  /**
   * - `status`: the handshake was answered with an HTTP status, by the broker or by something before it.
   * - `tls`: its certificate is not trusted here, or does not fit.
   * - `host_not_found`, `refused`: there is no such host, or nobody listens there.
   * - `timeout`, `silence`: no answer came in time, or nothing more on a connection that had been well.
   * - `close`: the broker closed it. `token`: `getToken` gave none. `network`: anything else.
   */
  readonly kind: CauseKind;
  /** A sentence for people, with the next step where there is one. */
  readonly message: string;
  /** The HTTP status of the answer to the handshake. */
  readonly status?: number;
  /** The wait that the answer asked for, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** Handshake answers after which the same handshake fares no better: PROTOCOL.md, "Reconnecting". */
const finalStatuses: readonly number[] = [400, 403, 404, 405, 426, 431];

const sentences: Readonly<Record<number, string>> = {
  400: 'The broker, or a proxy before it, cannot read the handshake (400).',
  401: 'The handshake needs other credentials (401): does a proxy before the broker ask for them?',
  404: 'There is no broker under this path (404): check the URL, which ends with /v1/connect.',
  407: 'The proxy needs credentials (407).',
  426: 'What answered speaks no WebSocket (426): does a proxy drop the Upgrade header?',
  429: 'There were too many attempts from this address (429).',
  502: 'The proxy does not reach the broker (502).',
  503: 'The broker takes no sessions at the moment (503).',
  504: 'The proxy gets no answer from the broker (504).',
};

export function isFinalStatus(cause: Cause | undefined): boolean {
  return cause?.status !== undefined && finalStatuses.includes(cause.status);
}

/** From the answer to a handshake that was refused. `retryAfter` is the header, in seconds or as a date (RFC 9110). */
export function statusCause(status: number, retryAfter?: string | null): Cause {
  const waitMs = readRetryAfter(retryAfter);
  return {
    kind: 'status',
    status,
    message:
      sentences[status] ?? (status === 403 ? forbidden() : `The handshake was answered with ${status}.`),
    ...(waitMs !== null && { retryAfterMs: waitMs }),
  };
}

function forbidden(): string {
  const { origin } = (globalThis as { readonly location?: { readonly origin?: string } }).location ?? {};
  return origin === undefined
    ? 'The broker, or a proxy before it, does not let this program in (403).'
    : `The broker does not let pages of ${origin} in (403): add it to SOLESEAT_ORIGINS.`;
}

function readRetryAfter(text: string | null | undefined): number | null {
  if (text === null || text === undefined) return null;
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - Date.now());
}

/** From a close frame. */
export function closeCause(code: number, reason: string): Cause {
  const row = closeCodes.find((one) => one.code === code && one.reason === reason);
  return {
    kind: 'close',
    message: row?.meaning ?? `The connection was closed with code ${code}${reason && ` (${reason})`}.`,
  };
}
