import type { CloseReason } from '#client/protocol/close-codes.js';
import type { ErrorMessage } from '#client/protocol/messages.js';
import type { ClientClaims } from '../auth/tokens.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import { StoreUnavailable } from '../store/errors.js';
import type { ClaimAnswer } from '../store/lease-types.js';
import type { Licenses } from '../store/licenses.js';
import type { Link } from './link.js';

/** What a claim came to that got no seat, but for a name that is spelled otherwise. */
export type Refused = Exclude<ClaimAnswer, { outcome: 'granted' | 'spelled' }>;

/** Tells whoever claimed why there is no seat for them, and closes, but where they may choose. */
export async function refuse(
  { link, claims }: { readonly link: Link; readonly claims: ClientClaims },
  { metrics, licenses }: { readonly metrics: Metrics; readonly licenses: Pick<Licenses, 'lookAlike'> },
  answer: Refused,
): Promise<void> {
  switch (answer.outcome) {
    case 'conflict': {
      const { holder, question, isAsking } = answer;
      const asking =
        question !== null ? { asking: true, waitMs: question.waitMs } : isAsking && { asking: false };
      link.send({ type: 'conflict', holder, ...asking });
      break;
    }
    case 'on_leave': {
      const { holder, retryAfterMs } = answer;
      const message = 'the holder took the seat along, and cannot be told';
      link.send({ type: 'error', code: 'on_leave', message, retryAfterMs });
      link.send({ type: 'conflict', holder });
      break;
    }
    case 'ask_refused':
      link.send({ type: 'ask_refused' });
      break;
    case 'stale':
      // [broker-stale-attempt]
      link.end('stale_attempt');
      break;
    case 'denied':
      metrics.denials.inc({ reason: answer.reason });
      link.end(answer.reason, await hintAt(claims, licenses, answer.reason));
      break;
    case 'flapping':
      link.end('flapping', {
        type: 'error',
        code: 'flapping',
        message: 'two machines are fighting over the seat',
        retryAfterMs: answer.retryAfterMs,
      });
      break;
    case 'rate_limited':
      link.end('rate_limited', {
        type: 'error',
        code: 'rate_limited',
        message: 'too many claims of this user',
        retryAfterMs: answer.retryAfterMs,
      });
      break;
  }
}

/** A license that was issued under another spelling of the name: the person at the desk can mend that. */
async function hintAt(
  { org, user }: ClientClaims,
  licenses: Pick<Licenses, 'lookAlike'>,
  reason: CloseReason,
): Promise<ErrorMessage | undefined> {
  if (reason !== 'license_required') return undefined;
  const other = await licenses.lookAlike(org, user).catch(() => null);
  if (other === null) return undefined;
  const message = `${user} has no license in this org; a license for ${other} exists`;
  return { type: 'error', code: 'license_required', message };
}

/** No answer to the claim, or a fault of ours. */
export function excuse(link: Link, log: Log, error: unknown): void {
  if (!(error instanceof StoreUnavailable)) {
    log.error({ reason: String(error) }, 'admission failed');
    link.end('overloaded');
    return;
  }
  link.end('store_unavailable', {
    type: 'error',
    code: 'store_unavailable',
    message: error.isFull
      ? 'Redis is out of memory: sessions go on, new ones cannot be had'
      : 'no seat can be granted at present',
    retryAfterMs: 2000,
  });
}
