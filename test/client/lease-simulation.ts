import type { Clock } from '../../packages/client/src/clock.js';
import { LeaseClock } from '../../packages/client/src/lease-clock.js';

/** As shipped: a TTL of 30 s of which the node leaves out a tenth, and a renewal every 10 s. All in seconds. */
const TTL = 30;
export const MARGIN = 3;
const EVERY = 10;
const CONNECT_TIMEOUT = 10;
const LONGEST_WAIT = 0.5;
const SILENCE = 2.5 * EVERY;
const HELLO_TAKES = 0.03;
const CLAIM_TAKES = 0.002;
const sessionId = '01890a5d-ac96-774b-bcce-b302099a8057';

/** From true time to what a clock shows. */
export type Reading = (t: number) => number;
type Span = readonly [from: number, to: number];

export interface Scenario {
  readonly name: string;
  readonly seconds: number;
  /** How long a message of that time is under way to the client. */
  readonly delay?: (t: number) => number;
  readonly welcomeDelay?: number;
  readonly mono?: Reading;
  readonly wall?: Reading;
  /** The node's own clock. */
  readonly nodeClock?: Reading;
  /** The client does nothing meanwhile; messages wait. */
  readonly stopped?: Span;
  readonly nodeStopped?: Span;
  /** How often the program asks. */
  readonly look?: number;
  /** The client's clocks show multiples of this. */
  readonly step?: number;
}

export interface Outcome {
  /** How much longer a message was counted on than its node did, at most. */
  readonly beyond: number;
  /** For how long it said that it holds what Redis may have given to somebody else. */
  readonly overlapped: number;
  /** For how long it said that it does not hold what it held. */
  readonly missed: number;
  readonly reconnects: number;
}

/** One client, one node, and all that is known of the truth. The library's own lease clock does the reckoning. */
export function simulate(
  scenario: Scenario,
  clocks: 'compared' | 'sleepless',
  random: () => number,
): Outcome {
  return new Simulation(scenario, clocks, random).run();
}

interface Sent {
  readonly elapsed: number;
  readonly ttl: number;
  readonly deadline: number;
  readonly isFirst: boolean;
}

class Simulation {
  private readonly queue: { readonly at: number; readonly happen: (t: number) => void }[] = [];
  private readonly lease: LeaseClock;
  private readonly look: number;
  private t = 0;
  private connection = 0;
  private nodeZero = 0;
  private lastArrival = 0;
  private lastMessage = 0;
  private nodeDeadline = Number.NEGATIVE_INFINITY;
  private heardDeadline = Number.NEGATIVE_INFINITY;
  private isAnswered = true;
  private dialledAt = 0;
  private redialAt: number | null = null;
  private outcome = { beyond: Number.NEGATIVE_INFINITY, overlapped: 0, missed: 0, reconnects: 0 };

  constructor(
    private readonly scenario: Scenario,
    clocks: 'compared' | 'sleepless',
    private readonly random: () => number,
  ) {
    const { mono = same, wall = same, step = 0, look = 0.1 } = scenario;
    const ms = (reading: Reading) => () => 1_000 * rounded(reading(this.t), step);
    const clock: Clock = { now: ms(mono), ...(clocks === 'compared' && { wall: ms(wall) }) };
    this.look = look;
    this.lease = new LeaseClock(clock);
  }

  run(): Outcome {
    this.dial();
    this.at(this.look, (t) => this.lookAt(t));
    for (let next = this.queue.shift(); next && next.at <= this.scenario.seconds; next = this.queue.shift()) {
      this.t = next.at;
      next.happen(next.at);
    }
    return this.outcome;
  }

  private at(at: number, happen: (t: number) => void): void {
    let index = this.queue.length;
    while (index > 0 && (this.queue[index - 1]?.at ?? 0) > at) index--;
    this.queue.splice(index, 0, { at, happen });
  }

  private dial(): void {
    const connection = ++this.connection;
    this.lease.connected();
    this.lastArrival = this.t;
    this.at(this.t + HELLO_TAKES, (t) => {
      if (connection === this.connection)
        this.at(t + CLAIM_TAKES, (later) => this.nodeSends(later, connection, true));
    });
  }

  private nodeSends(t: number, connection: number, isFirst: boolean): void {
    if (connection !== this.connection) return;
    const { nodeStopped, nodeClock = same, delay = () => 0.03, welcomeDelay } = this.scenario;
    const awake = end(nodeStopped, t);
    if (awake !== null) {
      this.at(awake, (later) => this.nodeSends(later, connection, isFirst));
      return;
    }
    if (isFirst) this.nodeZero = nodeClock(t);
    const ttl = TTL - MARGIN - CLAIM_TAKES;
    this.nodeDeadline = t + ttl;
    const isVeryFirst = isFirst && connection === 1;
    const takes = isVeryFirst ? (welcomeDelay ?? delay(t)) : delay(t);
    this.lastArrival = Math.max(this.lastArrival, t + takes);
    const sent = { elapsed: nodeClock(t) - this.nodeZero, ttl, deadline: t + ttl, isFirst };
    this.at(this.lastArrival, (later) => this.arrives(later, connection, sent));
    const inSeconds = EVERY * (isFirst ? 0.5 + this.random() / 2 : 1);
    this.at(t + inSeconds, (later) => this.nodeSends(later, connection, false));
  }

  private arrives(t: number, connection: number, sent: Sent): void {
    if (connection !== this.connection) return;
    const awake = end(this.scenario.stopped, t);
    if (awake !== null) {
      this.at(awake, (later) => this.arrives(later, connection, sent));
      return;
    }
    const [elapsedMs, ttlMs] = [Math.round(sent.elapsed * 1_000), Math.round(sent.ttl * 1_000)];
    const more = { sessionId, resumed: connection > 1, renewEveryMs: EVERY * 1_000, license: null };
    this.lease.heard(
      sent.isFirst
        ? { type: 'welcome', epoch: 7, ttlMs, elapsedMs, ...more }
        : { type: 'lease', epoch: 7, ttlMs, elapsedMs },
    );
    this.heardDeadline = sent.deadline;
    this.lastMessage = t;
    this.isAnswered = true;
    const left = (this.lease.leftMs() ?? 0) / 1_000;
    if (left > 0) this.outcome.beyond = Math.max(this.outcome.beyond, left - (sent.deadline - t));
  }

  private lookAt(t: number): void {
    const awake = end(this.scenario.stopped, t);
    if (awake !== null) {
      this.at(awake, (later) => this.lookAt(later));
      return;
    }
    const holds = this.lease.holds();
    if (holds && t - this.heardDeadline > MARGIN) this.outcome.overlapped += this.look;
    if (!holds && t < this.nodeDeadline && t < this.heardDeadline) this.outcome.missed += this.look;
    const hasFailed = !this.isAnswered && t - this.dialledAt > CONNECT_TIMEOUT;
    const isLost = !holds && t - this.lastMessage < SILENCE && t > 1 && this.heardDeadline > 0;
    if ((this.isAnswered && this.lease.mustResume()) || (hasFailed && isLost))
      this.redialAt ??= t + this.random() * LONGEST_WAIT;
    if (this.redialAt !== null && t >= this.redialAt) this.redial(t);
    this.at(t + this.look, (later) => this.lookAt(later));
  }

  private redial(t: number): void {
    this.redialAt = null;
    this.isAnswered = false;
    this.dialledAt = t;
    this.outcome.reconnects++;
    this.dial();
  }
}

const same: Reading = (t) => t;

function rounded(value: number, step: number): number {
  return step === 0 ? value : Math.floor(value / step) * step;
}

/** When the span ends, where `t` lies in it. */
function end(span: Span | undefined, t: number): number | null {
  return span !== undefined && t >= span[0] && t < span[1] ? span[1] : null;
}
