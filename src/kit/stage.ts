import type { ClientMessage, HelloMessage, WelcomeMessage } from '#client/protocol/messages.js';
import { Finding, NotRun } from './finding.js';
import { type Grant, newGrant } from './grants.js';
import type { Ended, Link } from './link.js';
import { type Command, type Order, Program } from './program.js';
import { type Dial, ScriptedBroker } from './scripted-broker.js';
import { TokenServer } from './token-server.js';
import { Transcript } from './transcript.js';

export interface StageOptions {
  readonly command: Command;
  /** How long a right client may take for what it has to do at once: the machine may be slow. */
  readonly patienceMs: number;
  /** What the platform of the client hides from it. */
  readonly hides: readonly Hidden[];
}

/** What some WebSocket libraries keep from the program that uses them. */
export const hideable = ['status', 'pings'] as const;
export type Hidden = (typeof hideable)[number];

/** Clocks of two processes, and timers that fire a little early. */
const EARLY_MS = 60;

/** Starting takes longer than all else, where many programs start side by side (a JVM). */
const START_FACTOR = 4;
const SLOW_MS = 4_000;
/** So long a client may take to read a message, before a person reacts to it. */
const READ_MS = 300;
const TYPE_AGAIN_MS = 2_000;

/** What a check adds to the ordinary beginning. */
export interface Beginning {
  readonly environment?: Readonly<Record<string, string>>;
  /** More fields of the `welcome`. */
  readonly more?: Partial<WelcomeMessage>;
}

/** All that one check has: a broker, a token server and the client, and ways to wait for what the client does. */
export class Stage {
  readonly transcript = new Transcript();
  readonly broker = new ScriptedBroker(this.transcript);
  readonly tokens = new TokenServer(this.transcript);
  readonly programs: Program[] = [];
  readonly machineId = 'kit-machine-7f3a';
  readonly machineName = 'Kit workstation';
  private nextDial = 0;
  private startedInMs = 0;

  constructor(private readonly options: StageOptions) {}

  get patienceMs(): number {
    return this.options.patienceMs;
  }

  /**
   * How much later than right something may come: as on an ordinary machine, and as much again as the program took to
   * start, which shows how slow this one is.
   */
  get slowMs(): number {
    return SLOW_MS + this.startedInMs;
  }

  /** The program that the check began with. */
  get program(): Program {
    const [first] = this.programs;
    if (first === undefined) throw new Error('a check starts the program first');
    return first;
  }

  async open(): Promise<void> {
    await Promise.all([this.broker.listen(), this.tokens.listen()]);
  }

  end(): void {
    for (const program of this.programs) program.kill();
    this.broker.end();
    this.tokens.end();
  }

  /** Another call starts a second process with the same machine. */
  start(environment: Readonly<Record<string, string>> = {}): Program {
    const program = new Program(
      this.options.command,
      {
        SEAT_URL: this.broker.url,
        SEAT_TOKEN_URL: this.tokens.url,
        SEAT_MACHINE_ID: this.machineId,
        SEAT_MACHINE_NAME: this.machineName,
        ...environment,
      },
      this.transcript,
    );
    this.programs.push(program);
    return program;
  }

  tell(order: Order): void {
    this.program.tell(order);
  }

  needs(hidden: Hidden, why: string): void {
    if (this.options.hides.includes(hidden)) throw new NotRun(why);
  }

  /** What must come within the time that the script gave for it, and the patience on top. */
  async must<T>(what: string, probe: () => T | null | undefined | false, withinMs = 0): Promise<T> {
    const hasStarted = this.broker.dials.length + this.tokens.asked.length > 0;
    const mostMs = withinMs + this.patienceMs * (hasStarted ? 1 : START_FACTOR);
    const found = await this.transcript.until(() => {
      this.refuseFaults();
      return probe() || null;
    }, mostMs);
    if (found !== null) return found;
    throw new Finding(`${what} did not come within ${seconds(mostMs)}`);
  }

  /** What a client does that has a feature which none needs to have. Without it, the check tells nothing. */
  async ifItCan<T>(why: string, probe: () => T | null | undefined | false): Promise<T> {
    const found = await this.transcript.until(() => {
      this.refuseFaults();
      return probe() || null;
    }, this.patienceMs);
    if (found === null) throw new NotRun(why);
    return found;
  }

  /** What must not come in this time. The probe gives a sentence where it came. */
  async mustNot(forMs: number, probe: () => string | null | false): Promise<void> {
    const found = await this.transcript.until(() => {
      this.refuseFaults();
      return probe() || null;
    }, forMs);
    if (found !== null) throw new Finding(found);
  }

  /** Lets time pass. What the client does wrong meanwhile still counts. */
  pass(forMs: number): Promise<void> {
    return this.mustNot(forMs, () => null);
  }

  /** The next handshake that no check has looked at yet. */
  async dial(what = 'a handshake', withinMs = 0): Promise<Dial> {
    const dial = await this.must(what, () => this.broker.dials[this.nextDial], withinMs);
    this.nextDial++;
    if (dial.number === 1) this.startedInMs = dial.atMs - this.program.startedMs;
    return dial;
  }

  /** The next connection, with its `hello` read. */
  async connection(what = 'a handshake', withinMs = 0): Promise<Link> {
    const link = (await this.dial(what, withinMs)).accept();
    await this.must('a hello', () => link.hello);
    return link;
  }

  /** Starts the program, grants its first claim, and sees it hold the seat. */
  async seated(
    grant: Grant = newGrant(),
    { environment = {}, more = {} }: Beginning = {},
  ): Promise<{ link: Link; grant: Grant }> {
    this.start(environment);
    const link = await this.connection('the first handshake');
    link.welcome(grant, more);
    await this.holds(true);
    return { link, grant };
  }

  /** Waits until the program says so. */
  async holds(value: boolean, withinMs = 0, program = this.program): Promise<number> {
    const last = await this.must(
      `the line "holds ${value}"`,
      () => {
        const line = program.printed.at(-1);
        return line?.holds === value && line;
      },
      withinMs,
    );
    return last.atMs;
  }

  message<T extends ClientMessage['type']>(
    link: Link,
    type: T,
    withinMs = 0,
  ): Promise<Extract<ClientMessage, { type: T }>> {
    return this.must(`a ${type}`, () => link.messages.find((one) => isA(one, type)), withinMs);
  }

  /**
   * A person chooses "use here" while `link` waits with a conflict. Typed again where nothing came of it: the line may
   * have been read before the conflict was.
   */
  async takeOver(link: Link, program = this.program): Promise<void> {
    await this.pass(READ_MS);
    const untilMs = performance.now() + this.patienceMs;
    do {
      program.tell('takeover');
      const sent = await this.transcript.until(() => link.has('takeover') || null, TYPE_AGAIN_MS);
      if (sent !== null) return;
    } while (performance.now() < untilMs);
    await this.message(link, 'takeover');
  }

  /** No other handshake comes in this time. */
  staysAway(forMs: number, why: string): Promise<void> {
    return this.mustNot(forMs, () => this.broker.dials.length > this.nextDial && `it dialled again ${why}`);
  }

  /** The connection stays open, without another one beside it, and the program holds the seat all the time. */
  async keepsSeat(link: Link, forMs: number, why: string): Promise<void> {
    await this.mustNot(forMs, () => {
      if (link.ended !== null) return `it ended the connection (${nameOf(link.ended)}) ${why}`;
      if (this.program.holds === false) return `it gave up the seat ${why}`;
      return this.broker.dials.length > this.nextDial && `it dialled again ${why}`;
    });
  }

  /** How the program ends. */
  async exit(withinMs = 0): Promise<void> {
    const exited = await this.must('the end of the program', () => this.program.exited, withinMs);
    if (exited.code !== 0)
      throw new Finding(`the program ended with ${exited.signal ?? exited.code}, not with 0`);
  }

  async closed(link: Link, withinMs = 0): Promise<Ended> {
    return this.must('the end of the connection', () => link.ended, withinMs);
  }

  /** Faults that no check is about, and that make every check fail. */
  private refuseFaults(): void {
    for (const { fault, exited, mayEnd } of this.programs) {
      if (fault !== null) throw new Finding(`the program could not be started: ${fault}`);
      if (exited !== null && !mayEnd)
        throw new Finding(`the program ended by itself, with ${exited.signal ?? exited.code}`);
    }
    for (const { violations } of this.broker.links) {
      const [violation] = violations;
      if (violation !== undefined)
        throw new Finding(`it sent what the protocol does not allow: ${violation}`);
    }
  }
}

export function expectThat(condition: boolean, finding: string): void {
  if (!condition) throw new Finding(finding);
}

/** How long after `sinceMs` something happened; not before `leastMs`. */
export function notBefore(what: string, atMs: number, sinceMs: number, leastMs: number): void {
  const waitedMs = atMs - sinceMs;
  expectThat(
    waitedMs >= leastMs - EARLY_MS,
    `${what} came after ${seconds(waitedMs)}, before the ${seconds(leastMs)} were over`,
  );
}

export function notAfter(what: string, atMs: number, sinceMs: number, mostMs: number): void {
  const waitedMs = atMs - sinceMs;
  expectThat(waitedMs <= mostMs, `${what} came after ${seconds(waitedMs)}, later than ${seconds(mostMs)}`);
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2).replace(/0$/, '')} s`;
}

export function nameOf({ code, reason }: Ended): string {
  return reason === '' ? String(code) : `${code} ${reason}`;
}

/** The token of an attempt, whichever of the three ways it took. */
export function tokenOf(dial: Dial, hello: HelloMessage): string | null {
  const { authorization = '', 'sec-websocket-protocol': offered = '' } = dial.request.headers;
  const bearer = /^bearer[ \t]+(\S+)$/i.exec(authorization)?.[1];
  const offer = /soleseat\.token\.([^\s,]+)/.exec(offered)?.[1];
  return bearer ?? offer ?? hello.token ?? null;
}

function isA<T extends ClientMessage['type']>(
  message: ClientMessage,
  type: T,
): message is Extract<ClientMessage, { type: T }> {
  return message.type === type;
}
