import type { History } from '../history.js';
import type { Finding } from './finding.js';

/** Promise 1: the fence never goes back, and never locks out who was granted after the one it goes by. */
export function checkFence(history: Pick<History, 'grants' | 'acceptances' | 'rejections'>): Finding[] {
  const findings: Finding[] = [];
  const highest = new Map<string, number>();
  for (const { user, program, epoch, atMs } of history.acceptances) {
    const before = highest.get(user) ?? 0;
    if (epoch < before) {
      findings.push({
        check: 'fence',
        atMs,
        user,
        what: `${program}: epoch ${epoch} was accepted after ${before}`,
      });
    }
    highest.set(user, Math.max(before, epoch));
  }
  const grantOf = new Map(history.grants.map((grant) => [grant.epoch, grant]));
  for (const { user, program, epoch, highest: by, atMs } of history.rejections) {
    const refused = grantOf.get(epoch);
    const other = grantOf.get(by);
    if (refused === undefined || other === undefined || refused.askedMs <= other.ackMs) continue;
    const what = `${program}: epoch ${epoch} was refused although ${other.program} had ${by} before`;
    findings.push({ check: 'fence', atMs, user, what });
  }
  return findings;
}
