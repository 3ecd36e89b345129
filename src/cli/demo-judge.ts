/** Whether what a step of the demo saw is what Soleseat promises. Each judge gives what was not as promised. */

/** What a program was told when it asked for the seat. `ms` counts from the person's act. */
export type Answer =
  | {
      readonly kind: 'welcome';
      readonly ms: number;
      readonly sessionId: string;
      readonly epoch: number;
      readonly resumed: boolean;
      /** The name of the machine that lost the seat. */
      readonly displaced: string | null;
    }
  | { readonly kind: 'conflict'; readonly ms: number; readonly holder: string | null }
  | { readonly kind: 'denied'; readonly ms: number; readonly reason: string };

export type Welcome = Extract<Answer, { kind: 'welcome' }>;

/** What the loser of a seat was told. */
export interface Notice {
  readonly ms: number;
  readonly reason: string;
  readonly by: string | null;
  readonly epoch: number;
  readonly closeCode: number;
}

/** The holder of the seat, before and after somebody else asked for it. */
export interface HolderWatch {
  readonly sessionBefore: string | null;
  readonly sessionAfter: string | null;
  readonly isRenewed: boolean;
}

/** A newcomer and a loser wait no longer than this, in milliseconds; ordinarily it is a few. */
const AT_ONCE_MS = 1000;
/** From a node's death to the resumed session, the client's backoff included. */
const RESUMED_WITHIN_MS = 5000;
const TAKEN_OVER = 4509;

export function judgeGrant(answer: Answer): string[] {
  return welcomed(answer, (welcome) => [
    [!welcome.resumed, 'the session was resumed, where a new one was due'],
    [welcome.displaced === null, `${welcome.displaced} lost the seat, which nobody had`],
  ]);
}

export function judgeTakeover(answer: Answer, loser: string, before: Welcome): string[] {
  return welcomed(answer, (welcome) => [
    [welcome.displaced === loser, `the welcome names ${welcome.displaced} as the loser, not ${loser}`],
    [welcome.sessionId !== before.sessionId, 'the newcomer got the session of the loser'],
    [welcome.epoch > before.epoch, `epoch ${welcome.epoch} is not above ${before.epoch}`],
    [welcome.ms <= AT_ONCE_MS, `the newcomer waited ${Math.round(welcome.ms)} ms`],
  ]);
}

export function judgeNotice(notice: Notice, reason: string, winner: string, welcome: Welcome): string[] {
  return broken([
    [notice.reason === reason, `the reason was ${notice.reason}, not ${reason}`],
    [notice.by === winner, `the notice names ${notice.by} as the winner, not ${winner}`],
    [notice.epoch === welcome.epoch, `the notice carries epoch ${notice.epoch}, not ${welcome.epoch}`],
    [notice.closeCode === TAKEN_OVER, `the connection closed with ${notice.closeCode}, not ${TAKEN_OVER}`],
    [notice.ms <= AT_ONCE_MS, `the notice took ${Math.round(notice.ms)} ms`],
  ]);
}

export function judgeRestart(answer: Answer, before: Welcome): string[] {
  return welcomed(answer, (welcome) => [
    [welcome.displaced === null, `${welcome.displaced} lost the seat, where only the same machine had it`],
    [welcome.sessionId !== before.sessionId, 'the new program got the session of the old one'],
    [welcome.epoch > before.epoch, `epoch ${welcome.epoch} is not above ${before.epoch}`],
  ]);
}

export function judgeResume(answer: Answer, before: Welcome): string[] {
  return welcomed(answer, (welcome) => [
    [welcome.resumed, 'a new session was granted, where the old one was due'],
    [welcome.sessionId === before.sessionId, `the session is ${welcome.sessionId}, not ${before.sessionId}`],
    [welcome.epoch >= before.epoch, `epoch ${welcome.epoch} is below ${before.epoch}`],
    [welcome.ms <= RESUMED_WITHIN_MS, `it took ${Math.round(welcome.ms)} ms`],
  ]);
}

export function judgeRefusal(answer: Answer, holder: string, watch: HolderWatch): string[] {
  const isConflict = answer.kind === 'conflict';
  return broken([
    [isConflict, `the reconnect was answered by ${answer.kind}, not conflict`],
    [!isConflict || answer.holder === holder, `the conflict does not name ${holder} as the holder`],
    [watch.sessionBefore !== null, 'nobody had the seat'],
    [watch.sessionAfter === watch.sessionBefore, 'the holder lost its session'],
    [watch.isRenewed, "the holder's lease was not renewed afterwards"],
  ]);
}

function welcomed(answer: Answer, checks: (welcome: Welcome) => readonly Check[]): string[] {
  if (answer.kind === 'welcome') return broken(checks(answer));
  const detail = answer.kind === 'conflict' ? `${answer.holder} has the seat` : answer.reason;
  return [`the seat was not granted: ${answer.kind}, ${detail}`];
}

type Check = readonly [holds: boolean, otherwise: string];

function broken(checks: readonly Check[]): string[] {
  return checks.filter(([holds]) => !holds).map(([, otherwise]) => otherwise);
}
