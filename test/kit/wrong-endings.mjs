/** Whether the end of a connection is the end of the session, as PROTOCOL.md says; and wrong where `has` says so. */
export function isFinal(has, seen, code, reason) {
  if (seen.evicted) return !has('final-ignored');
  if (code === 1000) {
    if (has('1000-final')) return true;
    if (has('1000-lost')) return false;
    return ['released', 'left'].includes(reason);
  }
  if (has('final-ignored') || (has('flapping-tried') && code === 4529)) return false;
  if (has('1011-final') && code === 1011) return true;
  if (has('all-4000-final')) return code >= 4000;
  if (has('known-codes-only')) return code >= 4500 && code < 4530;
  return code >= 4500 && code < 5000;
}
