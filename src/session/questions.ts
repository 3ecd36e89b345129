import type { Machine } from '#client/protocol/messages.js';
import type { Log } from '../base/log.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { Asks } from '../store/asks.js';
import type { Question } from '../store/lease-types.js';
import type { AskedNotice, WithdrawnNotice } from '../store/notices.js';
import type { Lifecycle } from './lifecycle.js';
import type { Session } from './session.js';

export interface QuestionsParts {
  readonly asks: Pick<Asks, 'put' | 'answer'>;
  readonly lifecycle: Lifecycle;
  readonly wheel: TimerWheel;
  readonly log: Log;
}

/** A question that nobody completes by then is over: the node of whoever asked is gone, and the holder keeps the seat. */
const UNHEARD_MS = 5000;

/** The questions that are put to the holders of this node, and their answers. */
export class Questions {
  constructor(private readonly parts: QuestionsParts) {}

  receive(notice: AskedNotice | WithdrawnNotice): void {
    for (const session of this.parts.lifecycle.sessions.of(notice.org, notice.user)) {
      // A holder whose resume is under way is asked when that has been answered.
      if (session.state === 'claiming') session.earlyQuestion = notice.type === 'asked' ? notice : null;
      // The sessionId guards it: a holder that resumes is still the one asked.
      if (!session.isLive || session.sessionId !== notice.sessionId) continue;
      // Of programs that share the session, those that answer.
      const { connections } = notice;
      if (connections !== undefined && !(connections.includes(session.connection) && session.asks)) continue;
      if (notice.type === 'asked') this.put(session, notice);
      else this.#withdraw(session, notice.askId);
    }
  }

  /** After its welcome: what the claim told, or what came while it was under way. */
  welcomed(session: Session, told: Question | null): void {
    const early = session.earlyQuestion;
    session.earlyQuestion = null;
    const isMeant = early !== null && early.sessionId === session.sessionId;
    const question = told ?? (isMeant ? early : null);
    if (question !== null && session.isLive) this.put(session, question);
  }

  /** Puts a question to the program that holds the seat. */
  put(session: Session, question: Question): void {
    const { askId, inMs, by } = question;
    session.askId = askId;
    session.link.send({ type: 'takeover_requested', by: { machine: nameOf(by) }, answerWithinMs: inMs });
    this.#expireAfter(session, inMs);
    this.parts.asks.put(session, question).catch((error: unknown) => this.#failed(session, error));
  }

  /** An answer that fits no question is ignored: the question may have ended meanwhile. */
  async answer(session: Session, yields: boolean, needMs: number | undefined): Promise<void> {
    const { askId } = session;
    if (askId === null) return;
    try {
      const inMs = await this.parts.asks.answer(session.lease(), askId, yields, needMs);
      if (session.askId !== askId || !session.isLive) return;
      if (!yields || inMs === null) this.#forget(session);
      else this.#expireAfter(session, inMs);
    } catch (error) {
      this.#failed(session, error);
    }
  }

  #expireAfter(session: Session, inMs: number): void {
    const { askId } = session;
    session.askTimer?.cancel();
    session.askTimer = this.parts.wheel.after(inMs + UNHEARD_MS, () => {
      if (session.isLive && askId !== null) this.#withdraw(session, askId);
    });
  }

  #withdraw(session: Session, askId: string): void {
    if (session.askId !== askId) return;
    this.#forget(session);
    session.link.send({ type: 'takeover_withdrawn' });
  }

  #forget(session: Session): void {
    session.askId = null;
    session.askTimer?.cancel();
    session.askTimer = null;
  }

  #failed(session: Session, error: unknown): void {
    this.parts.log.warn({ org: session.org, reason: String(error) }, 'a question for the seat went astray');
  }
}

/** The name alone: with the id of a machine one could pose as it. */
function nameOf({ name }: Machine): { readonly name?: string } {
  return name === undefined ? {} : { name };
}
