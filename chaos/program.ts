import type { connect } from '../packages/client/src/index.js';
import type { ServerMessage, WelcomeMessage } from '../packages/client/src/protocol/messages.js';
import type { BrokerNode } from './broker-node.js';
import type { Desk } from './desk.js';
import type { Fence } from './fence.js';
import type { Ask, Belief, Grant, History, Holding, HoldingEnd, Silence } from './history.js';
import { Relay } from './relay.js';
import { LibrarySeat, type Seat, type SeatEvent } from './seat.js';
import { countedTtlMs } from './timing.js';
import { ServerTexts } from './wire.js';

export interface ProgramParts {
  readonly history: History;
  readonly fence: Fence;
  readonly connect: typeof connect;
  /** Where the programs of a machine run, when not in this process. */
  readonly deskOf: (machine: string) => Desk | null;
  /** Which node a front door would choose now; null where none is up. */
  readonly chooseNode: () => BrokerNode | null;
}

export interface ProgramPlan {
  readonly name: string;
  readonly user: string;
  readonly machine: string;
  readonly onConflict: 'takeover' | 'deny' | 'ask';
  readonly answers: boolean;
}

/** One connection: to which node, what was asked on it last, and what was granted. */
interface Talk {
  readonly number: number;
  node: string;
  ask: Ask | null;
  /** The claim that was answered by `conflict`, and may still be granted by the holder's answer. */
  asking: Ask | null;
  /** Whether what it asked last would have displaced a holder. */
  displaces: boolean;
  grant: Grant | null;
}

/**
 * A desktop program on one machine of a user: the client library as it is, on a path of its own to the nodes.
 * What it sends and what it believes goes into the history.
 */
export class Program {
  isRunning = true;
  /** As the library has it. */
  state = 'connecting';
  readonly #seat: Seat;
  #node = '?';
  readonly #talks = new Map<number, Talk>();
  /** The connection that the library goes by: the newest. */
  #talk: Talk | null = null;
  #holding: { readonly record: Holding; deadlineMs: number } | null = null;
  #belief: { readonly untilMs: number; readonly epoch: number } | null = null;
  /** The latest end of a lease that a node told this program, by when the message passed the relay. */
  #toldEndMs = 0;
  #broken: Silence | null = null;
  #held: Silence | null = null;
  #onReleased = () => {};

  private constructor(
    private readonly plan: ProgramPlan,
    private readonly door: Relay,
    /** When each message came to the relay, before it may have had to wait there. */
    private readonly passed: Map<string, number>,
    private readonly parts: ProgramParts,
  ) {
    const seatPlan = { ...plan, port: door.port };
    const listener = (event: SeatEvent) => this.#on(event);
    const desk = parts.deskOf(plan.machine);
    const { connect } = parts;
    this.#seat =
      desk?.begin(seatPlan, listener) ??
      new LibrarySeat(seatPlan, { connect, now: () => performance.now(), listener });
  }

  static async start(plan: ProgramPlan, parts: ProgramParts): Promise<Program> {
    const passed = new Map<string, number>();
    const door = await Relay.start({
      target: () => {
        const node = parts.chooseNode();
        program.#node = node?.name ?? 'none';
        return node?.port ?? null;
      },
      listen: () => {
        const texts = new ServerTexts((text) => passed.set(text, performance.now()));
        return {
          onDown: (chunk) => {
            texts.feed(chunk);
            return [chunk];
          },
        };
      },
    });
    // The door is asked for its target only once the program dials.
    const program: Program = new Program(plan, door, passed, parts);
    return program;
  }

  get name(): string {
    return this.plan.name;
  }

  get user(): string {
    return this.plan.user;
  }

  get machine(): string {
    return this.plan.machine;
  }

  /** What it believes right now, or null. */
  get belief(): Belief | null {
    const { name: program, user } = this;
    if (!this.isRunning || this.#belief === null || performance.now() >= this.#belief.untilMs) return null;
    return { user, program, ...this.#belief };
  }

  /** The epoch under which it believes in its seat right now, or null. */
  get heldEpoch(): number | null {
    return this.belief?.epoch ?? null;
  }

  takeOver(): void {
    this.#seat.takeOver();
  }

  /** Does a piece of the work that the license is for. */
  work(): void {
    this.#seat.tell();
  }

  /** The network breaks the connection; the library finds its way back. */
  cutConnection(): void {
    this.door.cut({ refuses: false });
  }

  silence(directions: readonly ('up' | 'down')[]): void {
    this.#held ??= this.#beginSilence();
    this.door.hold(...directions);
  }

  /** The network takes so long each way. */
  lag(ms: number): void {
    this.#held ??= this.#beginSilence();
    this.door.delay(ms);
  }

  unsilence(): void {
    this.door.heal();
    if (this.#held !== null) this.#held.toMs = performance.now();
    this.#held = null;
  }

  async release(): Promise<void> {
    this.parts.history.releases.add(this.name);
    this.parts.history.note(this.name, 'releases');
    const released = new Promise<void>((resolve) => {
      this.#onReleased = resolve;
    });
    this.#seat.release();
    await released;
    this.#leave(() => this.#seat.disconnect());
  }

  /** Takes the seat along, where the broker lets it; the program ends then. */
  takeAlong(forMs: number): void {
    this.parts.history.note(this.name, `wants to take the seat along for ${forMs.toFixed(0)} ms`);
    this.#seat.leave(Math.round(forMs));
  }

  /** Nobody is at work there for so long. */
  nap(forMs: number): void {
    const fromMs = performance.now();
    this.parts.history.naps.push({ program: this.name, fromMs, toMs: fromMs + forMs });
    this.#note(`nobody is at work for ${forMs.toFixed(0)} ms`);
    this.#seat.nap(forMs);
  }

  #left(askedMs: number, forMs: number, heardMs: number): void {
    const { user, name: program, machine } = this;
    this.parts.history.leaves.push({ user, program, machine, askedMs, heardMs, untilMs: askedMs + forMs });
    this.#note(`has taken the seat along for ${forMs} ms`);
    this.#leave(() => this.#seat.disconnect());
  }

  crash(): void {
    this.#leave(() => this.#seat.crash());
  }

  /** The end of the run. */
  finish(): void {
    this.#end('end', performance.now());
    this.crash();
  }

  #leave(how: () => void): void {
    this.isRunning = false;
    how();
    this.unsilence();
    this.#onReleased();
    this.door.stop();
  }

  #beginSilence(fromMs = performance.now()): Silence {
    const silence = { program: this.name, fromMs, toMs: Number.POSITIVE_INFINITY };
    this.parts.history.silences.push(silence);
    return silence;
  }

  #on(event: SeatEvent): void {
    const { atMs } = event;
    switch (event.type) {
      case 'dialled':
        this.#dialled(event.talk, atMs);
        break;
      case 'connected':
        this.#talkOf(event.talk).node = this.#node;
        break;
      case 'asked':
        this.#asked(this.#talkOf(event.talk), event, atMs);
        break;
      case 'heard':
        this.#heard(this.#talkOf(event.talk), event.text, atMs);
        break;
      case 'hungUp':
        this.#hungUp(this.#talkOf(event.talk), event.code, atMs);
        break;
      case 'believes':
        this.#believes(event, atMs);
        break;
      case 'state':
        this.state = event.state;
        this.#note(`state ${event.previous} -> ${event.state}`);
        break;
      case 'closed':
        this.#note(`closed for good (${event.code})`);
        break;
      case 'released':
        this.#onReleased();
        break;
      case 'left':
        this.#left(event.askedMs, event.forMs, atMs);
        break;
    }
  }

  #note(what: string): void {
    this.parts.history.note(this.name, what);
  }

  #talkOf(number: number): Talk {
    const talk = this.#talks.get(number);
    if (talk === undefined) throw new Error(`${this.name} has no connection ${number}`);
    return talk;
  }

  #dialled(number: number, atMs: number): void {
    const talk = { number, node: '', ask: null, asking: null, displaces: false, grant: null };
    this.#talks.set(number, talk);
    this.#talk = talk;
    // Until it has said hello nobody can tell it anything: the connection before this one is given up by now.
    if (this.isRunning) this.#broken ??= this.#beginSilence(atMs);
  }

  #hungUp(talk: Talk, code: number, atMs: number): void {
    this.#answer(talk, 'none', atMs);
    this.#talks.delete(talk.number);
    if (talk === this.#talk && this.isRunning) this.#broken ??= this.#beginSilence(atMs);
    this.#note(`connection closed (${code})`);
  }

  #asked(
    talk: Talk,
    { isAct, displaces, isAsking }: SeatEvent & { readonly type: 'asked' },
    askedMs: number,
  ): void {
    talk.displaces = displaces;
    if (this.#broken !== null) this.#broken.toMs = askedMs;
    this.#broken = null;
    const { name: program, user, machine } = this;
    talk.ask = {
      user,
      program,
      machine,
      node: talk.node,
      askedMs,
      isAct,
      isAsking,
      answer: 'none',
      answeredMs: null,
    };
    this.parts.history.asks.push(talk.ask);
  }

  /** Before the library hears of it. */
  #heard(talk: Talk, text: string, atMs: number): void {
    const message = JSON.parse(text) as ServerMessage;
    switch (message.type) {
      case 'welcome':
        this.#welcomed(talk, message, { text, atMs });
        break;
      case 'conflict':
        this.#answer(talk, 'conflict', atMs);
        break;
      case 'error':
        this.#answer(talk, 'none', atMs);
        this.#note(`error ${message.code}`);
        break;
      case 'lease': {
        const confirmed = this.#confirmation(message.ttlMs, { text, atMs });
        if (talk.grant === null || message.epoch < talk.grant.lastEpoch) break;
        if (message.epoch > talk.grant.lastEpoch) this.#raised(talk.grant, message.epoch, atMs);
        talk.grant.confirmed = confirmed;
        break;
      }
      case 'evicted': {
        const { reason, epoch: byEpoch } = message;
        // With a claim under way it was granted and displaced before anybody here heard its epoch.
        const epoch = talk.ask === null ? (talk.grant?.lastEpoch ?? 0) : 0;
        const { user, name: program } = this;
        this.parts.history.evictions.push({ user, program, epoch, byEpoch, reason, atMs });
        this.#note(`evicted (${reason}) from epoch ${epoch} by ${byEpoch}`);
        break;
      }
    }
  }

  #welcomed(
    talk: Talk,
    { sessionId, epoch, resumed, shared = false, ttlMs }: WelcomeMessage,
    came: { readonly text: string; readonly atMs: number },
  ): void {
    const { name: program, user, machine } = this;
    const { history } = this.parts;
    const ackMs = came.atMs;
    const { askedMs = ackMs } = talk.ask ?? talk.asking ?? {};
    talk.asking = null;
    // What goes on by a program's name alone, and would have displaced nobody, is as old as it was.
    const isAct = talk.ask?.isAct === true && (talk.displaces || !resumed);
    this.#answer(talk, 'welcome', ackMs);
    const confirmed = this.#confirmation(ttlMs, came);
    const { node } = talk;
    const asked = { askedMs, isAct, ackMs, resumed, shared };
    talk.grant = { user, program, machine, node, sessionId, epoch, ...asked, lastEpoch: epoch, confirmed };
    history.grants.push(talk.grant);
    this.#note(
      `welcomed by ${node} with epoch ${epoch}${resumed ? ', resumed' : ''}${shared ? ', shared' : ''}`,
    );
  }

  #raised(grant: Grant, epoch: number, heardMs: number): void {
    grant.lastEpoch = epoch;
    this.parts.history.raises.push({ grant, epoch, heardMs });
    this.#note(`epoch ${grant.epoch} goes on as ${epoch}`);
  }

  /** When the node sent the command behind this news, at the latest: the way of the news can only make it earlier. */
  #confirmation(ttlMs: number, { text, atMs }: { text: string; atMs: number }): Grant['confirmed'] {
    const passedMs = Math.min(this.passed.get(text) ?? atMs, atMs);
    this.passed.delete(text);
    this.#toldEndMs = Math.max(this.#toldEndMs, passedMs + ttlMs);
    return { sentMs: passedMs + ttlMs - countedTtlMs, heardMs: atMs };
  }

  /** A claim that got no answer of its own may have been granted all the same. */
  #answer(talk: Talk, answer: Ask['answer'], atMs: number): void {
    if (talk.ask === null) return;
    talk.ask.answer = answer;
    talk.ask.answeredMs = atMs;
    if (answer === 'conflict' && talk.ask.isAsking) talk.asking = talk.ask;
    talk.ask = null;
  }

  /** Compares what the library believes with what was noted last. */
  #believes({ how, untilMs, epoch }: SeatEvent & { readonly type: 'believes' }, atMs: number): void {
    const isHeld = untilMs !== null && epoch !== null && atMs < untilMs;
    this.#belief = isHeld ? { untilMs, epoch } : null;
    const open = this.#holding;
    const grant = this.#talk?.grant ?? open?.record.grant ?? null;
    if (!isHeld || open === null || open.record.grant !== grant || atMs >= open.deadlineMs) {
      this.#end(how, atMs);
      if (!isHeld || grant === null) return;
      const record: Holding = { grant, fromMs: atMs, toMs: atMs, how: 'end', beyondNodeMs: 0 };
      this.#holding = { record, deadlineMs: untilMs };
      this.parts.history.holdings.push(record);
    }
    this.#extend(untilMs);
    this.parts.fence.present(this.user, this.name, epoch);
  }

  #extend(untilMs: number): void {
    if (this.#holding === null) return;
    this.#holding.deadlineMs = untilMs;
    const { record } = this.#holding;
    record.beyondNodeMs = Math.max(record.beyondNodeMs, untilMs - this.#toldEndMs);
  }

  #end(how: HoldingEnd, atMs: number): void {
    if (this.#holding === null) return;
    const { record, deadlineMs } = this.#holding;
    record.toMs = Math.min(atMs, deadlineMs);
    record.how = deadlineMs <= atMs ? 'deadline' : how;
    this.#holding = null;
  }
}
