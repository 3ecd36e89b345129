/** One thing that was looked at. */
export interface Finding {
  readonly level: 'good' | 'warning' | 'bad';
  readonly what: string;
  /** What to change; none where it is good. */
  readonly advice?: string;
}
