import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

const RANDOM_BYTES = 16;
/** Asking the system for random bytes costs far more than the bytes: they are fetched for many ids at once. */
const POOL_BYTES = 256 * RANDOM_BYTES;

/** A maker of session ids (UUIDv7, RFC 9562): each above the one before it, and random beyond guessing. */
export function createSessionIds(wallMs: () => number): () => string {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  let msecs = 0;
  let seq = 0;
  return () => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const random = pool.subarray(used, used + RANDOM_BYTES);
    used += RANDOM_BYTES;
    const nowMs = wallMs();
    if (nowMs > msecs) {
      msecs = nowMs;
      // 31 random bits of the 32, so that the count within a millisecond does not come around.
      seq = new DataView(random.buffer, random.byteOffset).getUint32(0) >>> 1;
    } else {
      seq++;
    }
    return v7({ random, msecs, seq });
  };
}
