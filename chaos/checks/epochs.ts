import { type Grant, type History, isTogether } from '../history.js';
import type { Finding } from './finding.js';

type Seen = Pick<History, 'grants' | 'raises'>;

/** An epoch that somebody was given, by a claim or by a confirmation, and when that was known. */
interface Given {
  readonly epoch: number;
  readonly grant: Grant;
  readonly knownMs: number;
}

/** Promises 1 and 8: no epoch is given twice, in the whole org, also not by a confirmation. */
export function checkUnique(history: Seen): Finding[] {
  const seen = new Map<number, Grant>();
  const findings: Finding[] = [];
  for (const { epoch, grant, knownMs } of allGiven(history)) {
    const other = seen.get(epoch);
    if (other === undefined) seen.set(epoch, grant);
    else if (!isTogether(other, grant))
      findings.push(finding('epochs', grant, knownMs, `epoch ${epoch} was given to ${other.program} too`));
  }
  return findings;
}

/** Who asked after another's epoch was known has a higher one. */
export function checkOrder(history: Seen): Finding[] {
  const byKnown = allGiven(history).sort((a, b) => a.knownMs - b.knownMs);
  const byAsk = [...history.grants].sort((a, b) => a.askedMs - b.askedMs);
  const findings: Finding[] = [];
  let highest: Given | null = null;
  let next = 0;
  for (const grant of byAsk) {
    for (let one = byKnown[next]; one !== undefined && one.knownMs < grant.askedMs; one = byKnown[++next]) {
      if (highest === null || one.epoch > highest.epoch) highest = one;
    }
    // Joining is no grant.
    if (highest !== null && !grant.shared && grant.epoch <= highest.epoch) {
      const what = `epoch ${grant.epoch} was asked for after ${highest.grant.program} had ${highest.epoch}`;
      findings.push(finding('order', grant, grant.ackMs, what));
    }
  }
  return findings;
}

/** A confirmation has no moment of asking that anybody outside could know: it is compared with later claims only. */
function allGiven({ grants, raises }: Seen): Given[] {
  return [
    ...grants.map((grant) => ({ epoch: grant.epoch, grant, knownMs: grant.ackMs })),
    ...raises.map(({ epoch, grant, heardMs }) => ({ epoch, grant, knownMs: heardMs })),
  ];
}

function finding(check: 'epochs' | 'order', { user, program }: Grant, atMs: number, what: string): Finding {
  return { check, atMs, user, what: `${program}: ${what}` };
}
