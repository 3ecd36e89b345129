// The rules of a seat, as PROTOCOL.md says, for wrong-client.mjs; and wrong where that is told so.

import { Proof } from './wrong-ticket.mjs';

const { SEAT_ASKS, SEAT_IDLE, SEAT_TAKES_FREE, SEAT_TICKET } = process.env;

export class Rules {
  #has;
  #send;
  #act;
  #hellos = 0;
  #isTaking = false;
  #isWanted = false;
  #ticket = SEAT_TICKET;
  proof;
  isLeaving = false;
  /** When a person was at work last; null where the program does not tell. */
  #workedMs = SEAT_IDLE === undefined ? null : performance.now() - Number(SEAT_IDLE);
  #report = { everyMs: null, sentMs: Number.NEGATIVE_INFINITY, isWarned: false, timer: undefined };

  /** `act` has what the client does otherwise: `dial`, `leaveSeat`. */
  constructor(has, send, act) {
    this.#has = has;
    this.#send = send;
    this.#act = act;
    this.proof = new Proof(has);
    if (has('idle-always')) this.#workedMs ??= performance.now();
  }

  inHello() {
    const isFirst = ++this.#hellos === 1;
    const tells = this.#workedMs !== null && (isFirst || !this.#has('idle-once'));
    const asks = (SEAT_ASKS && (isFirst || !this.#has('asks-once-told'))) || this.#has('asks-always');
    return {
      ...(tells && { idleMs: this.#has('idle-zero') ? 0 : Math.round(performance.now() - this.#workedMs) }),
      ...(asks && { asks: true }),
      ...(this.#ticket !== undefined &&
        (isFirst || !this.#has('ticket-first-only')) && { ticket: this.#ticket }),
      ...this.proof.inHello(),
    };
  }

  welcomed({ idle }) {
    if (!this.#has('ticket-kept')) this.#ticket = undefined;
    this.#report.everyMs = idle?.reportEveryMs ?? null;
  }

  lost() {
    clearTimeout(this.#report.timer);
    this.#report.timer = undefined;
  }

  refused() {
    if (this.#has('free-again') && SEAT_TAKES_FREE) setTimeout(this.handlers.seat_free, 200);
    const isWanted = this.#isWanted && !this.#has('click-lost');
    [this.#isTaking, this.#isWanted] = [false, false];
    if (isWanted) this.#send({ type: 'takeover' });
  }

  /** Whether a click has to wait for the answer to `ifFree`. */
  defersClick() {
    this.#isWanted ||= this.#isTaking;
    return this.#isTaking && !this.#has('click-at-once');
  }

  handlers = {
    seat_free: () => {
      if (this.#has('takes-free') || this.#has('free-taken')) this.#send({ type: 'takeover' });
      else if (SEAT_TAKES_FREE) {
        this.#isTaking = true;
        this.#send({ type: 'takeover', ifFree: true });
      }
    },
    takeover_requested: ({ answerWithinMs }) => {
      if (this.#has('asked-leaves')) this.#act.leaveSeat();
      if (this.#has('time-leaves')) setTimeout(this.#act.leaveSeat, answerWithinMs);
    },
    left: () => {
      if (!this.#has('left-by-close')) process.exit(0);
    },
    ask_refused: () => {
      if (this.#has('refused-takes')) this.#send({ type: 'takeover' });
      if (this.#has('refused-asks')) this.#act.dial('ask');
    },
    idle_warning: () => {
      if (this.#has('warning-ignored')) return;
      this.#report.isWarned = true;
      if (this.#report.timer !== undefined || this.#has('warning-answered')) this.#tell();
    },
  };

  orders = {
    leave: (forMs) => {
      this.#send({ type: 'leave', forMs: this.#has('leaves-for-ever') ? 4_000_000_000_000 : forMs });
      if (this.#has('leaves-unheard')) setTimeout(() => process.exit(0), 200);
      this.isLeaving = true;
    },
    ask: () => this.#act.dial(this.#has('ask-takes') ? 'takeover' : 'ask'),
    yield: (needMs) => {
      this.#send({
        type: 'answer',
        yield: !this.#has('yes-is-no'),
        ...(!this.#has('needs-nothing') && { needMs }),
      });
      if (this.#has('yield-leaves')) this.#act.leaveSeat();
    },
    refuse: () => this.#send({ type: 'answer', yield: this.#has('yields-always') }),
    idle: (ms) => {
      this.#workedMs = performance.now() - ms;
    },
    active: () => {
      if (this.#workedMs === null || this.#report.everyMs === null) return;
      this.#workedMs = performance.now();
      const waitMs = this.#report.sentMs + this.#report.everyMs - performance.now();
      if (waitMs <= 0 || this.#report.isWarned || this.#has('every-key')) this.#tell();
      else if (!this.#has('last-key-lost')) this.#report.timer ??= setTimeout(() => this.#tell(), waitMs);
    },
  };

  #tell() {
    this.lost();
    this.#report.sentMs = performance.now();
    this.#report.isWarned = this.#has('warned-for-ever') && this.#report.isWarned;
    const idleMs = this.#has('activity-now') ? 0 : Math.round(performance.now() - this.#workedMs);
    this.#send({ type: 'activity', idleMs });
  }
}
