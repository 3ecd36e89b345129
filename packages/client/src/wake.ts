const LOOK_EVERY_MS = 1_000;
/** A look that comes this much late by the wall clock: the computer slept, this process stood still, or the clock was set. */
const JUMP_MS = 5_000;

type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
/** What a browser says when there is a network again, and when a page comes back to life. */
const events = ['online', 'pageshow', 'visibilitychange'] as const;

/** Notices that the computer, the network or the page is back, so that nobody waits for what is left of a long pause. */
export class WakeWatch {
  private timer: ReturnType<typeof setInterval> | undefined;
  private lookedMs = 0;

  constructor(private readonly onWake: () => void) {}

  start(): void {
    if (this.timer !== undefined) return;
    this.lookedMs = Date.now();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    for (const [target, event] of sources()) target.addEventListener(event, this.heard);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    for (const [target, event] of sources()) target.removeEventListener(event, this.heard);
  }

  private look(): void {
    const nowMs = Date.now();
    const isLate = nowMs - this.lookedMs > LOOK_EVERY_MS + JUMP_MS;
    this.lookedMs = nowMs;
    if (isLate) this.onWake();
  }

  private readonly heard = (): void => {
    const { document } = globalThis as { readonly document?: { readonly visibilityState: string } };
    if (document?.visibilityState !== 'hidden') this.onWake();
  };
}

function sources(): [Target, string][] {
  const platform = globalThis as Partial<Target> & { readonly document?: Target };
  return events.flatMap((event): [Target, string][] => {
    const target = event === 'visibilitychange' ? platform.document : platform;
    return target?.addEventListener === undefined ? [] : [[target as Target, event]];
  });
}
