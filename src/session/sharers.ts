import type { Log } from '../base/log.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { HeldLease } from '../store/lease-types.js';
import type { Leases } from '../store/leases.js';
import type { Lifecycle } from './lifecycle.js';

export interface SharersParts {
  readonly leases: Pick<Leases, 'unshare' | 'present' | 'evict'>;
  readonly lifecycle: Lifecycle;
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly leaseTtlMs: number;
}

/** Programs of one machine that hold a session together: those that were lost without a word are taken out of it. */
export class Sharers {
  constructor(private readonly parts: SharersParts) {}

  /** Its program has a TTL to come back. */
  lost(lease: HeldLease): void {
    const { leases, wheel, log, leaseTtlMs } = this.parts;
    wheel.after(leaseTtlMs, () => {
      leases.unshare(lease).catch((error: unknown) => {
        // Then the seat is free one TTL after the others have gone.
        log.debug(
          { org: lease.org, reason: String(error) },
          'a lost program is not taken out of its session',
        );
      });
    });
  }

  /** A token may have been revoked: the lease tells that of one program alone, so the others' are looked up. */
  verify(org?: string): void {
    for (const session of this.parts.lifecycle.sessions.all()) {
      if (!session.isLive || !session.isShared || (org !== undefined && session.org !== org)) continue;
      this.#endIfRevoked(session.lease()).catch((error: unknown) => {
        this.parts.log.debug(
          { org: session.org, reason: String(error) },
          'the token of a program is not looked up',
        );
      });
    }
  }

  async #endIfRevoked(lease: HeldLease): Promise<void> {
    const { leases } = this.parts;
    if (await leases.present(lease)) return;
    await leases.evict({ ...lease, reason: 'token_revoked', actor: 'broker', only: lease });
  }
}
