import type { History } from '../history.js';
import type { Finding } from './finding.js';

/**
 * Promise 13: whatever ends, says so. The counters' sum of ends equals the number of `ended` events written, at every
 * look; and in the end the number of those that are in the stream. All three are in one place and change in one step, so
 * a Redis that loses data loses the same of each.
 */
export function checkEnds({ counts, endedEvents }: Pick<History, 'counts' | 'endedEvents'>): Finding[] {
  const first = counts.find(({ ended, written }) => ended !== written);
  const findings = first === undefined ? [] : [finding(first.atMs, unwritten(first))];
  for (const { atMs, ended, written, events, nameless, isTrimmed } of endedEvents) {
    if (ended !== written) findings.push(finding(atMs, unwritten({ ended, written })));
    // A stream that has lost its oldest is compared by the counter beside it.
    if (events !== ended && !isTrimmed)
      findings.push(finding(atMs, `${ended} ends are counted, but ${events} ended events are in the stream`));
    if (nameless > 0)
      findings.push(finding(atMs, `${nameless} ended events name no session, epoch, machine or reason`));
  }
  return findings;
}

function unwritten({ ended, written }: { readonly ended: number; readonly written: number }): string {
  return `${ended} ends are counted, but ${written} ended events were written`;
}

function finding(atMs: number, what: string): Finding {
  return { check: 'ends', atMs, user: null, what };
}
