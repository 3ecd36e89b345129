import { MAX_TIMER_MS } from './backoff.js';
import type { ServerMessage } from './protocol/messages.js';

/** One beat may be lost and one late. */
const INTERVALS = 2.5;
/** However often the node renews: by then it has waited for Redis in vain, and told so with `jeopardy`. */
const LEAST_MS = 5_000;
/** The close follows an eviction at once, and the broker itself waits no longer than this for the answer. */
const CLOSE_MS = 2_000;
/** Until a `welcome` has told the interval: longer than anybody would choose. */
const UNTOLD_INTERVAL_MS = 60_000;
/** After a sleep or a stall the timers are late and beats lie unread: time for the event loop to read them. */
const READ_MS = 250;

/**
 * Notices that the broker's beat stays away. On a half-open connection nothing else shows: this end sends
 * nothing, so TCP has nothing to miss, and no close can come.
 *
 * The beats are what comes with every renewal, and `jeopardy`, which says for how long none will. How old they are, and
 * whether the lease still runs, is the lease clock's to say: whichever is first ends the connection. While a `conflict` waits there are only pings. A browser does not show them: there, the wait is not watched.
 */
export class Heartbeat {
  private renewEveryMs = UNTOLD_INTERVAL_MS;
  private waitsInConflict = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onSilent: () => void) {}

  heard(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.renewEveryMs = message.renewEveryMs;
        this.stop();
        this.expect(this.patienceMs);
        break;
      case 'lease':
        this.expect(this.patienceMs);
        break;
      case 'jeopardy':
        this.expect(message.graceMs); // [jeopardy-wait]
        break;
      case 'evicted':
        this.expect(CLOSE_MS);
        break;
      case 'conflict':
        this.stop();
        this.waitsInConflict = true;
        break;
    }
  }

  pinged(): void {
    if (this.waitsInConflict) this.expect(this.patienceMs); // [conflict-silence]
  }

  /** The connection is over. */
  stop(): void {
    clearTimeout(this.timer);
    this.waitsInConflict = false;
  }

  private get patienceMs(): number {
    return Math.max(LEAST_MS, INTERVALS * this.renewEveryMs); // [silence]
  }

  /** The next beat is due within this time. */
  private expect(withinMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.timer = setTimeout(this.onSilent, READ_MS);
      },
      Math.min(withinMs, MAX_TIMER_MS),
    );
  }
}
