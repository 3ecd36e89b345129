/** The environment of a Redis whose clock can be set, in seconds ahead; null where there is no C compiler. */
export function settableClock(): {
  readonly env: Readonly<Record<'LD_PRELOAD' | 'CLOCK_OFFSET_FILE', string>>;
  readonly set: (seconds: number) => void;
} | null;
