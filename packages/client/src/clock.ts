/** A clock in milliseconds from any beginning. */
export interface Clock {
  /** Never goes back. */
  now(): number;
  /**
   * The wall clock, for a `now` that stands still while the machine sleeps. It only shows that the machine slept: nobody
   * measures with it. A `now` that goes on in sleep needs none.
   */
  wall?(): number;
}

/** What every platform has. Browsers on Linux and macOS stop `performance.now()` in sleep. */
export const platformClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
};
