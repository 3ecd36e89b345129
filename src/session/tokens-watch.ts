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
    const leftMs = expiresAtMs - this.wallMs();
    session.tokenTimer = this.wheel.after(Math.max(0, leftMs - this.warningMs), () => {
      const inMs = Math.max(0, expiresAtMs - this.wallMs());
      session.link.send({ type: 'token_expiring', inMs });
      session.tokenTimer = this.wheel.after(inMs, () => session.link.end('token_expired'));
    });
  }
}
