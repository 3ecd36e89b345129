// The age of a lease, as PROTOCOL.md says, for wrong-client.mjs; and wrong where that is told so.

export class LeaseClock {
  #has;
  #now;
  #untilMs = null;
  #link = null;

  constructor(has, now) {
    this.#has = has;
    this.#now = now;
  }

  /** hello (on a new connection) or takeover goes out. */
  asked(isNew) {
    const askedMs = this.#now();
    if (isNew || this.#link === null)
      this.#link = { baseMs: askedMs, ttlMs: null, isLate: false, graceMs: 0 };
    this.#link.askedMs = askedMs;
  }

  lost() {
    this.#link = null;
  }

  clear() {
    this.#untilMs = null;
    if (this.#link !== null) this.#link.ttlMs = null;
  }

  /** welcome, conflict (an answer) or lease. */
  heard({ elapsedMs, ttlMs }, isAnswer) {
    const [nowMs, link] = [this.#now(), this.#link];
    const counts = typeof elapsedMs === 'number' && !this.#has('from-receipt');
    const elapsed = counts ? elapsedMs : 0;
    if (!counts) link.baseMs = this.#has('needs-elapsed') ? (link.askedMs ?? link.baseMs) : nowMs;
    else if (isAnswer && link.askedMs !== null) {
      link.baseMs = link.askedMs - elapsed;
      if (!this.#has('all-answers') && !this.#has('takeover-undated')) link.askedMs = null;
    } else link.baseMs = Math.min(link.baseMs, nowMs - elapsed);
    if (typeof ttlMs !== 'number') return;
    const untilMs = link.baseMs + elapsed + ttlMs;
    link.ttlMs = ttlMs;
    link.graceMs = 0;
    if (!link.isLate || this.#has('never-behind'))
      this.#untilMs = this.#has('longest-counts') ? Math.max(this.#untilMs ?? 0, untilMs) : untilMs;
    if (nowMs - elapsed - link.baseMs > ttlMs / 3) link.isLate = true;
  }

  inJeopardy(graceMs) {
    this.#link.graceMs = this.#now() + graceMs;
    if (this.#has('lenient')) this.#untilMs += graceMs;
  }

  holds() {
    if (this.#untilMs === null) return false;
    return this.#has('no-deadline') || this.#now() < this.#untilMs;
  }

  /** Whether the connection has to be replaced. */
  isBehind() {
    if (this.#link === null || this.#link.ttlMs === null || this.#has('never-behind')) return false;
    const nowMs = this.#now();
    const hasPassed = nowMs >= (this.#untilMs ?? 0) && nowMs >= this.#link.graceMs;
    return this.#link.isLate || (hasPassed && !this.#has('no-deadline'));
  }
}
