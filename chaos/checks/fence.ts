import type { History } from '../history.js';
import { Excuses, NOTICE_MS } from './excuses.js';
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

/**
 * Promise 8: nobody stays below the fence. What was held before a reign has an epoch above all with its next confirmation,
 * so nothing is confirmed under an epoch below one that a service has accepted before, whatever Redis has forgotten.
 */
export function checkAboveFence(history: History): Finding[] {
  const excuses = new Excuses(history);
  return history.grants.flatMap(({ user, program, node, lastEpoch, confirmed }): Finding[] => {
    const above = history.acceptances.find((one) => one.user === user && one.epoch > lastEpoch);
    if (above === undefined) return [];
    const window = { fromMs: above.atMs, toMs: confirmed.heardMs };
    const slackMs = NOTICE_MS + excuses.slownessMs(window, node) + excuses.stoppedMs(node, confirmed.heardMs);
    const lateMs = confirmed.sentMs - above.atMs;
    if (lateMs <= slackMs) return [];
    const what =
      `${program}: epoch ${lastEpoch} was confirmed ${lateMs.toFixed(0)} ms ` +
      `after the fence had accepted ${above.epoch}`;
    return [{ check: 'fence', atMs: confirmed.heardMs, user, what }];
  });
}
