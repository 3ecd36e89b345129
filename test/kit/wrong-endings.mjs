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

/** What the answer to a refused handshake means, as PROTOCOL.md says; and wrong where `has` says so. */
export function refusalIn(has, { statusCode, headers }) {
  const code = has('statuses-ignored') ? 0 : statusCode;
  const isForGood = [400, 403, 404, 405, 426, 431].includes(code) || (has('statuses-final') && code !== 0);
  const after = headers['retry-after'];
  if (code === 0 || after === undefined) return { isForGood, retryAfterMs: null };
  const date = has('no-dates') ? 0 : Date.parse(after) - Date.now();
  return { isForGood, retryAfterMs: /^\d+$/.test(after) ? Number(after) * 1_000 : Math.max(0, date) };
}
