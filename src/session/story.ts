import { createHash } from 'node:crypto';
import { addressClass } from '../base/address.js';
import type { Log } from '../base/log.js';
import type { ClaimAnswer } from '../store/lease-types.js';
import type { Ending, EvictionPath } from './ending.js';
import type { Session } from './session.js';

/** How the log names users: `hashed` lets lines of one user be found by whoever knows the name. */
export type UsersInLog = 'hashed' | 'plain';

/**
 * The log lines of a session's life, all of them with the same fields: who, on which machine, from what kind of address, and
 * the epochs of both sides where there are two.
 */
export class Story {
  constructor(
    private readonly log: Log,
    private readonly users: UsersInLog,
  ) {}

  granted(session: Session, answer: Extract<ClaimAnswer, { outcome: 'granted' }>): void {
    const { displaced, resumed } = answer;
    const other = displaced && { otherSessionId: displaced.sessionId, otherEpoch: displaced.epoch };
    this.log.info(
      { ...this.#of(session), ...other, reason: resumed ? 'resumed' : 'granted' },
      'session granted',
    );
  }

  /** The client has shown an epoch that Redis has not given: a change of master lost the grant (promise 8). */
  lostGrantShown(session: Session): void {
    this.log.warn(this.#of(session), 'the client has seen a grant that Redis has lost');
  }

  /** One line for each claim that got no seat. */
  refused(session: Session, answer: Exclude<ClaimAnswer, { outcome: 'granted' }>): void {
    const reason = answer.outcome === 'denied' ? answer.reason : answer.outcome;
    const { sessionId: _, epoch: _none, ...who } = this.#of(session);
    this.log.info({ ...who, reason }, 'claim refused');
  }

  claimFailed(session: Session, cause: unknown): void {
    const { sessionId: _, epoch: _none, ...who } = this.#of(session);
    this.log.warn({ ...who, reason: String(cause) }, 'claim failed');
  }

  evicted(session: Session, { reason, epoch: otherEpoch }: Ending, path: EvictionPath): void {
    this.log.info({ ...this.#of(session), otherEpoch, reason, path }, 'session evicted');
  }

  released(session: Session): void {
    this.log.info({ ...this.#of(session), reason: 'released' }, 'session released');
  }

  departed(session: Session): void {
    this.log.info({ ...this.#of(session), reason: 'left' }, 'session taken along');
  }

  releaseFailed(session: Session, error: unknown): void {
    this.log.warn({ ...this.#of(session), reason: String(error) }, 'release failed');
  }

  lostConnection(session: Session, reason: string): void {
    this.log.info({ ...this.#of(session), reason }, 'session lost its connection');
  }

  fencedItself(session: Session): void {
    this.log.warn({ ...this.#of(session), reason: 'lease_lost' }, 'session fenced itself');
  }

  #of({ org, user, machineId, address, sessionId, epoch }: Session) {
    return {
      org,
      user: this.users === 'plain' ? user : hashOf(org, user),
      machine: machineId,
      address: addressClass(address),
      sessionId,
      epoch,
    };
  }
}

/** As docs/operations.md has it, so that an operator can look for a user. */
function hashOf(org: string, user: string): string {
  return createHash('sha256').update(`${org}/${user}`).digest('hex').slice(0, 16);
}
