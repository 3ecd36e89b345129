import type { Counts, History } from '../history.js';
import type { Finding } from './finding.js';

/** Promise 9: at any moment, what was granted or put back and has not ended is active, and every lease is in it. */
export function checkCounts({ counts }: Pick<History, 'counts'>): Finding[] {
  // A drift stays for good: the first look that shows it is enough.
  const first = counts.find((one) => faultOf(one) !== null);
  if (first === undefined) return [];
  return [{ check: 'counts', atMs: first.atMs, user: null, what: faultOf(first) ?? '' }];
}

function faultOf({ granted, reasserted, ended, active, leases }: Counts): string | null {
  if (granted + reasserted - ended !== active)
    return `${granted} granted + ${reasserted} reasserted - ${ended} ended is not ${active} active`;
  const standing = Object.keys(leases).length;
  return standing > active ? `${standing} leases stand, but ${active} are counted as active` : null;
}
