import { randomBytes } from 'node:crypto';

/** A session as the script grants it. The times are short, so that a check is. */
export interface Grant {
  readonly sessionId: string;
  readonly epoch: number;
  readonly ttlMs: number;
  readonly renewEveryMs: number;
}

/** As a real one: microseconds, 16 digits, which a float with 14 digits spoils. */
const FIRST_EPOCH = 1_795_502_125_123_457;
const EPOCH_STEP = 1_000_003;
let granted = 0;

export function newGrant(times: Partial<Pick<Grant, 'ttlMs' | 'renewEveryMs'>> = {}): Grant {
  granted++;
  return {
    sessionId: newSessionId(),
    epoch: FIRST_EPOCH + granted * EPOCH_STEP,
    ttlMs: 20_000,
    renewEveryMs: 1_000,
    ...times,
  };
}

/** The same session under a higher epoch. */
export function laterThan(grant: Grant): Grant {
  return { ...grant, epoch: grant.epoch + EPOCH_STEP };
}

/** UUIDv7 (RFC 9562), as the broker's. */
function newSessionId(): string {
  const hex = Date.now().toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  const [a, b, c, d, e] = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(13, 16),
    hex.slice(17, 20),
    hex.slice(20),
  ];
  return `${a}-${b}-7${c}-8${d}-${e}`;
}
