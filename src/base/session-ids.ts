import { randomFillSync } from 'node:crypto';

/** Asking the system for random bytes costs far more than the bytes: they are fetched for many ids at once. */
const POOL = Buffer.alloc(4096);
/** Hexadecimal digits of a pool that one id takes. */
const DIGITS = 18;
const COUNTS = 0x1000;
/** Room to count upwards within the millisecond. */
const RANDOM_COUNTS = 0x800;

/**
 * A maker of session ids (UUIDv7, RFC 9562, with the counter of its section 6.2): each above the one before it,
 * also when the clock is set back, and with 62 random bits.
 */
export function createSessionIds(wallMs: () => number): () => string {
  let digits = '';
  let used = 0;
  let lastMs = 0;
  let count = 0;
  return () => {
    if (used + DIGITS > digits.length) {
      digits = randomFillSync(POOL).toString('hex');
      used = 0;
    }
    const random = digits.slice(used, used + DIGITS);
    used += DIGITS;
    const nowMs = wallMs();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      count = Number.parseInt(random.slice(0, 3), 16) % RANDOM_COUNTS;
    } else if (++count === COUNTS) {
      lastMs++;
      count = 0;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const counter = count.toString(16).padStart(3, '0');
    const variant = '89ab'.charAt(Number.parseInt(random.charAt(3), 16) & 3);
    const [high, low] = [random.slice(3, 6), random.slice(6)];
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${variant}${high}-${low}`;
  };
}
