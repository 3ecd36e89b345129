import type { Log } from '../base/log.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { Leases } from '../store/leases.js';
import type { Session } from './session.js';

const AGAIN_MS = 2000;

interface NoteParts {
  readonly leases: Pick<Leases, 'present'>;
  readonly wheel: TimerWheel;
  readonly log: Log;
}

/** Ends the session where its new token was revoked; otherwise Redis knows its token from now on. Never rejects. */
export async function noteToken(session: Session, parts: NoteParts): Promise<void> {
  const { leases, wheel, log } = parts;
  const { token } = session;
  try {
    if (!(await leases.present(session.lease()))) session.link.end('token_revoked');
  } catch (error) {
    log.warn({ org: session.org, reason: String(error) }, 'new token not noted yet');
    // The token is good by itself: an outage ends no session. A newer one is noted by itself.
    wheel.after(AGAIN_MS, () => {
      if (session.isLive && session.token === token) void noteToken(session, parts);
    });
  }
}
