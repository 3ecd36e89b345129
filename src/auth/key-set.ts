import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { KeyHolder, KeyRing } from './keys.js';

/** What one look at the source of keys gives. */
export interface KeysRead {
  readonly ring: KeyRing;
  /** The `iss` that the source says it is. */
  readonly issuer?: string;
}

export interface KeySetParts {
  /** The kind of tokens that these keys verify. */
  readonly audience: 'client' | 'admin';
  /** The setting that names the source. */
  readonly setting: string;
  /** Reads the source. Rejects where it is away, or holds no key that can be used. Null: there is nothing to read. */
  readonly read: (() => Promise<KeysRead>) | null;
  /** What was read at the start; null where the source is asked only later. */
  readonly initial: KeyRing | null;
  /** Read again at this age; null where something else watches the source. */
  readonly maxAgeMs: number | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'tokenKeys' | 'keyReads'>;
}

/** A token with an unknown key has the source read again no more often than this. */
const minBetweenMs = 30_000;
/** Without any key no token can be good: the source is asked more often at first. */
const firstRetryMs = 1000;

/**
 * The keys of one source, read again when a token names one that is not there, by age, and when asked to. One look at a
 * time. The last good ones serve while the source is away or holds nonsense.
 */
export class KeySet implements KeyHolder {
  ring: KeyRing | null;
  issuer: string | null = null;
  #reading: Promise<boolean> | null = null;
  #missedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #toldSkipped: readonly string[] = [];
  #isClosed = false;

  constructor(private readonly parts: KeySetParts) {
    this.ring = parts.initial;
    if (parts.initial !== null) this.#show(parts.initial);
    else parts.metrics.tokenKeys.set({ audience: parts.audience }, 0);
  }

  /** Reads where nothing has been read yet, and keeps the keys fresh from then on. */
  start(): void {
    if (this.ring === null) void this.reload();
    else this.#again();
  }

  missed(): void {
    const nowMs = this.parts.clock();
    // Without any key it is asked for all the time.
    if (this.ring === null || this.#reading !== null || nowMs - this.#missedAtMs < minBetweenMs) return;
    this.#missedAtMs = nowMs;
    void this.reload();
  }

  /** Reads the source now; false where the keys from before stay. Never rejects. */
  reload(): Promise<boolean> {
    const { read } = this.parts;
    if (read === null) return Promise.resolve(true);
    this.#reading ??= this.#read(read).finally(() => {
      this.#reading = null;
      this.#again();
    });
    return this.#reading;
  }

  /** Puts keys in place that somebody else has read. */
  replace(ring: KeyRing): void {
    this.ring = ring;
    this.#show(ring);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #read(read: () => Promise<KeysRead>): Promise<boolean> {
    const { setting, log, metrics } = this.parts;
    try {
      const { ring, issuer } = await read();
      this.issuer = issuer ?? null;
      this.ring = ring;
      metrics.keyReads.inc({ outcome: 'ok' });
      if (this.#failures > 0) log.info({ setting }, 'keys of tokens can be read again');
      this.#failures = 0;
      this.#show(ring);
      return true;
    } catch (error) {
      const reason = (error as Error).message;
      metrics.keyReads.inc({ outcome: 'failed' });
      const kept = this.ring === null ? 'tokens wait for them' : 'the last good ones serve';
      if (this.#failures === 0) log.warn({ setting, reason }, `keys of tokens could not be read: ${kept}`);
      this.#failures++;
      return false;
    }
  }

  #show(ring: KeyRing): void {
    const { setting, audience, log, metrics } = this.parts;
    metrics.tokenKeys.set({ audience }, ring.keys.length);
    // Providers list keys for other purposes all the time: each is told once, however often the set is read.
    for (const why of ring.skipped) {
      if (!this.#toldSkipped.includes(why)) log.warn({ setting, key: why }, 'a key was left out');
    }
    this.#toldSkipped = ring.skipped;
  }

  #again(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { maxAgeMs } = this.parts;
    const retryMs = Math.min(minBetweenMs, firstRetryMs * 2 ** (this.#failures - 1));
    const inMs = this.ring === null ? retryMs : maxAgeMs;
    if (inMs === null || this.#isClosed) return;
    this.#timer = setTimeout(() => void this.reload(), inMs).unref();
  }
}
