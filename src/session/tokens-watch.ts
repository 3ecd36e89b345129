import type { TimerWheel } from '../base/timer-wheel.js';
import type { WallClock } from '../base/wall-clock.js';
import type { Session } from './session.js';

/** Warns before a session's token ends, and closes the connection when it has. The seat stays, to be resumed. */
export class TokenWatch {
  constructor(
    private readonly wheel: TimerWheel,
    private readonly wallMs: WallClock,
    private readonly warningMs: number,
  ) {}

  /** Watches until `expiresAtMs` (Unix ms), in place of an earlier token's end. */
  watch(session: Session, expiresAtMs: number): void {
    session.tokenTimer?.cancel();
    const leftMs = Math.max(0, expiresAtMs - this.wallMs());
    // One warning a token: who answers it with the same token again has no better one.
    if (expiresAtMs <= session.warnedOfMs) {
      this.#endAfter(session, leftMs);
      return;
    }
    // A token that was short from the start is warned of at half of what is left.
    session.tokenTimer = this.wheel.after(Math.max(leftMs - this.warningMs, leftMs / 2), () => {
      // Whole, as every number in a message: the end of a token may fall between two milliseconds.
      const inMs = Math.max(0, Math.floor(expiresAtMs - this.wallMs()));
      session.warnedOfMs = expiresAtMs;
      session.link.send({ type: 'token_expiring', inMs });
      this.#endAfter(session, inMs);
    });
  }

  #endAfter(session: Session, ms: number): void {
    session.tokenTimer = this.wheel.after(ms, () => session.link.end('token_expired'));
  }
}
