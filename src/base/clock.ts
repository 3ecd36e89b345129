/** Monotonic time in milliseconds. Leases are measured by it alone: a stepped wall clock changes nothing. */
export type Clock = () => number;

export const monotonicMs: Clock = () => performance.now();
