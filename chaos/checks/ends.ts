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
  for (const { atMs, counted, written, events, nameless, isTrimmed } of endedEvents) {
    const ended = sumOf(counted);
    if (ended !== written) findings.push(finding(atMs, unwritten({ ended, written })));
    // A stream that has lost its oldest is compared by the counter beside it.
    for (const reason of isTrimmed ? [] : Object.keys({ ...counted, ...events })) {
      const [one = 0, other = 0] = [counted[reason], events[reason]];
      if (one === other) continue;
      const what = `${one} ends as ${reason} are counted, but ${other} such events are in the stream`;
      findings.push(finding(atMs, what));
    }
    for (const event of nameless)
      findings.push(finding(atMs, `an ended event names no session, epoch, machine or reason: ${event}`));
  }
  return findings;
}

function sumOf(numbers: Readonly<Record<string, number>>): number {
  return Object.values(numbers).reduce((sum, one) => sum + one, 0);
}

function unwritten({ ended, written }: { readonly ended: number; readonly written: number }): string {
  return `${ended} ends are counted, but ${written} ended events were written`;
}

function finding(atMs: number, what: string): Finding {
  return { check: 'ends', atMs, user: null, what };
}
