/** Whether a place of a stream, `<ms>-<sequence>`, is before another. Sequences are larger than a number is exact. */
export function isBefore(one: string, other: string): boolean {
  const [oneMs = '0', oneSequence = '0'] = one.split('-');
  const [otherMs = '0', otherSequence = '0'] = other.split('-');
  if (oneMs !== otherMs) return Number(oneMs) < Number(otherMs);
  return BigInt(oneSequence) < BigInt(otherSequence);
}

/** The last place before this one. */
export function placeBefore(place: string): string {
  const [ms = '0', sequence = '0'] = place.split('-');
  if (sequence !== '0') return `${ms}-${BigInt(sequence) - 1n}`;
  return ms === '0' ? '0-0' : `${BigInt(ms) - 1n}-18446744073709551615`;
}
