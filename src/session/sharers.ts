import type { Log } from '../base/log.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { Leases } from '../store/leases.js';
import type { Gone, Lifecycle } from './lifecycle.js';
import type { Session } from './session.js';

export interface SharersParts {
  readonly leases: Pick<Leases, 'unshare' | 'present' | 'evict'>;
  readonly lifecycle: Lifecycle;
  readonly wheel: TimerWheel;
  readonly random: () => number;
  readonly log: Log;
  readonly leaseTtlMs: number;
}

const AGAIN_MS = 2000;
/** Some minutes, as for a leave that is turned back. */
const TRIES = 150;

/** Programs of one machine that hold a session together: those that were lost without a word are taken out of it. */
export class Sharers {
  /** Programs that may still come back. */
  readonly #waiting = new Set<Gone>();

  constructor(private readonly parts: SharersParts) {}

  /** Its program has a TTL to come back. */
  lost(gone: Gone): void {
    this.#waiting.add(gone);
    this.parts.wheel.after(this.parts.leaseTtlMs, () => this.#takeOut(gone, TRIES));
  }

  /** Takes all of them out at once, as the node ends and nobody would later. A program that comes back joins again. Never rejects. */
  async close(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await Promise.allSettled(waiting.map((gone) => this.parts.leases.unshare(gone)));
  }

  #takeOut(gone: Gone, tries: number): void {
    if (!this.#waiting.has(gone)) return;
    const { leases, wheel, log } = this.parts;
    leases.unshare(gone).then(
      () => this.#waiting.delete(gone),
      (error: unknown) => {
        log.debug(
          { org: gone.org, reason: String(error) },
          'a lost program is not taken out of its session yet',
        );
        if (tries > 1) wheel.after(AGAIN_MS, () => this.#takeOut(gone, tries - 1));
        else this.#waiting.delete(gone);
      },
    );
  }

  /** A token may have been revoked: the lease tells that of one program alone, so the others' are looked up, within a time. */
  verify(withinMs: number, org?: string): void {
    for (const session of this.parts.lifecycle.sessions.all()) {
      if (!session.isShared || (org !== undefined && session.org !== org)) continue;
      this.parts.wheel.after(this.parts.random() * withinMs, () => {
        this.#endIfRevoked(session).catch((error: unknown) => {
          this.parts.log.debug(
            { org: session.org, reason: String(error) },
            'the token of a program is not looked up',
          );
        });
      });
    }
  }

  async #endIfRevoked(session: Session): Promise<void> {
    if (!session.isLive) return;
    const { leases } = this.parts;
    const lease = session.lease();
    if (await leases.present(lease)) return;
    await leases.evict({ ...lease, reason: 'token_revoked', actor: 'broker', only: lease });
  }
}
