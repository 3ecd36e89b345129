import type { Grant, History } from '../history.js';
import type { Finding } from './finding.js';

/** Promises 1 and 8: no epoch is given twice, in the whole org. */
export function checkUnique({ grants }: Pick<History, 'grants'>): Finding[] {
  const seen = new Map<number, Grant>();
  const findings: Finding[] = [];
  for (const grant of grants) {
    const other = seen.get(grant.epoch);
    if (other === undefined) seen.set(grant.epoch, grant);
    else findings.push(finding('epochs', grant, `epoch ${grant.epoch} was given to ${other.program} too`));
  }
  return findings;
}

/** Who asked after another's grant was acknowledged has the higher epoch. */
export function checkOrder({ grants }: Pick<History, 'grants'>): Finding[] {
  const byAck = [...grants].sort((a, b) => a.ackMs - b.ackMs);
  const byAsk = [...grants].sort((a, b) => a.askedMs - b.askedMs);
  const findings: Finding[] = [];
  let highest: Grant | null = null;
  let next = 0;
  for (const grant of byAsk) {
    for (let done = byAck[next]; done !== undefined && done.ackMs < grant.askedMs; done = byAck[++next]) {
      if (highest === null || done.epoch > highest.epoch) highest = done;
    }
    if (highest !== null && grant.epoch <= highest.epoch) {
      const what = `epoch ${grant.epoch} was asked for after ${highest.program} had ${highest.epoch}`;
      findings.push(finding('order', grant, what));
    }
  }
  return findings;
}

function finding(check: 'epochs' | 'order', { user, program, ackMs }: Grant, what: string): Finding {
  return { check, atMs: ackMs, user, what: `${program}: ${what}` };
}
