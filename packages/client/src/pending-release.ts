/** A seat is being given back: settles once, when the broker has confirmed it or nobody waits any longer. */
export class PendingRelease {
  readonly promise: Promise<void>;
  private readonly timer: ReturnType<typeof setTimeout>;
  private done = () => {};

  /** `onOverdue` is called where nothing came in `timeoutMs` milliseconds. */
  constructor(timeoutMs: number, onOverdue: () => void) {
    this.promise = new Promise((resolve) => {
      this.done = resolve;
    });
    this.timer = setTimeout(onOverdue, timeoutMs);
  }

  settle(): void {
    clearTimeout(this.timer);
    this.done();
  }
}
