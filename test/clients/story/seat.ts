import { Relay } from '../../../chaos/relay.js';
import type { Order } from '../../../src/kit/program.js';
import type { SetClock } from '../../../src/kit/set-clock.js';
import type { TokenServer } from '../../support/token-server.js';
import type { SeatJudge } from './judge.js';
import { type SeatCommand, SeatProgram } from './seat-program.js';
import { type Told, WireRecord } from './wire-record.js';

const INSIST_EVERY_MS = 250;

export interface SeatParts {
  readonly user: string;
  readonly machine: string;
  readonly command: SeatCommand;
  readonly tokens: TokenServer;
  readonly judge: SeatJudge;
  /** The port of the broker to which the next connection leads. */
  readonly brokerPort: () => number;
  /** The clock of the machine, where it can be set. */
  readonly clock: SetClock | null;
}

/** One machine of a user: the program, its way to the brokers, and what was seen of both. */
export class Seat {
  program: SeatProgram | null = null;
  /** All that was delivered to the program, in order. */
  readonly told: Told[] = [];
  hellos = 0;
  #insisting: NodeJS.Timeout | undefined;
  #holdsBehind: string | null = null;
  #sleptMs = 0;

  private constructor(
    readonly parts: SeatParts,
    readonly relay: Relay,
  ) {}

  static async open(parts: SeatParts): Promise<Seat> {
    const { judge } = parts;
    const record = new WireRecord({
      onSaid: (message, connection) => {
        if (message.type === 'hello') seat.hellos++;
        judge.onSaid(message, connection);
      },
      onPassed: (told) => judge.onPassed(told),
      onDelivered: (told) => {
        seat.told.push(told);
        judge.onDelivered(told);
        if (told.sent.type === seat.#holdsBehind) seat.relay.hold('down');
      },
    });
    const relay = await Relay.start({ target: parts.brokerPort, listen: () => record.listen() });
    // The relay is asked for nothing before the program dials.
    const seat: Seat = new Seat(parts, relay);
    return seat;
  }

  get machine(): string {
    return this.parts.machine;
  }

  get holds(): boolean {
    return this.program?.holds ?? false;
  }

  /** How often a message of this type was delivered. */
  heard(type: Told['sent']['type']): number {
    return this.told.filter(({ sent }) => sent.type === type).length;
  }

  /** The session of the latest welcome. */
  get sessionId(): string | null {
    const welcomes = this.told.flatMap(({ sent }) => (sent.type === 'welcome' ? [sent.sessionId] : []));
    return welcomes.at(-1) ?? null;
  }

  /** A person starts the program. */
  start(): void {
    const { command, tokens, machine, user, clock, judge } = this.parts;
    judge.started();
    this.program = new SeatProgram(
      command,
      {
        ...clock?.environment,
        SEAT_URL: `ws://127.0.0.1:${this.relay.port}/v1/connect`,
        SEAT_TOKEN_URL: tokens.url,
        SEAT_MACHINE_ID: `${user}/${machine}`,
        SEAT_MACHINE_NAME: machine,
      },
      (look) => judge.onLook(look),
    );
  }

  tell(order: Order): void {
    this.parts.judge.ordered(order);
    this.program?.tell(order);
  }

  /** Somebody tries again and again, and displaces nobody: the seat is found as soon as it is free. */
  insist(): void {
    this.#insisting = setInterval(() => !this.holds && this.tell('retry'), INSIST_EVERY_MS);
  }

  desist(): void {
    clearInterval(this.#insisting);
  }

  async stop(): Promise<void> {
    this.parts.judge.stopped();
    await this.program?.stop();
  }

  goOn(): void {
    this.program?.goOn();
    this.parts.judge.wentOn();
  }

  /** The computer sleeps. What its broker does meanwhile takes no time here. */
  async sleep(ms: number): Promise<void> {
    await this.stop();
    this.#sleptMs += ms;
    this.parts.clock?.sleep(this.#sleptMs);
    this.parts.judge.slept(ms);
    this.goOn();
  }

  /** What follows a message of this type does not arrive, until all is mended. */
  loseBehind(type: Told['sent']['type']): void {
    this.#holdsBehind = type;
  }

  mend(): void {
    this.#holdsBehind = null;
    this.relay.heal();
  }

  async close(): Promise<void> {
    this.desist();
    await this.program?.kill();
    this.relay.stop();
  }
}
