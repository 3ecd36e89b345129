/** A promise that was not kept. */
export interface Finding {
  readonly check:
    | 'epochs'
    | 'order'
    | 'overlap'
    | 'confirmed'
    | 'fence'
    | 'belief'
    | 'eviction'
    | 'leave'
    | 'idle'
    | 'newest'
    | 'ends'
    | 'counts'
    | 'end'
    | 'crash';
  readonly atMs: number;
  /** Null where it concerns all. */
  readonly user: string | null;
  readonly what: string;
}
