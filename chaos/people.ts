import { setTimeout as pause } from 'node:timers/promises';
import type { Belief, History } from './history.js';
import { Program, type ProgramParts } from './program.js';
import type { Random } from './random.js';
import { timing } from './timing.js';

export const acts = [
  'start',
  'start-deny',
  'take-over',
  'race',
  'move',
  'release',
  'crash',
  'restart',
  'clone',
  'cut',
  'silence',
  'lag',
  'evict',
  'ask',
  'leave',
  'nap',
] as const;
export type Act = (typeof acts)[number];

/** How often a user does what, one against another. */
export const usualActs: Readonly<Partial<Record<Act, number>>> = {
  start: 5,
  'start-deny': 2,
  'take-over': 4,
  race: 1,
  move: 2,
  release: 2,
  crash: 1.5,
  restart: 2,
  clone: 1,
  cut: 3,
  silence: 1.5,
  lag: 1.5,
  evict: 1.5,
};

/** Where programs of one machine share a session, more are opened. */
export const sharingActs: Readonly<Partial<Record<Act, number>>> = { clone: 6, release: 4 };

/** Where newcomers ask, and seats are taken along. */
export const ruledActs: Readonly<Partial<Record<Act, number>>> = { ask: 5, leave: 3, nap: 3 };

const MOVE_PATIENCE_MS = 1500;

export interface UserParts extends ProgramParts {
  readonly random: Random;
  readonly evict: (user: string) => Promise<{ readonly epoch: number } | null>;
  readonly machines: number;
  /** Whether people answer questions for their seats. */
  readonly answers: boolean;
  readonly weights: Readonly<Partial<Record<Act, number>>>;
  /** Bounds of the wait between two acts, in ms. */
  readonly waitMs: readonly [number, number];
}

/** A user with several machines, who starts, leaves and loses programs on them at random. */
export class User {
  readonly programs: Program[] = [];
  #started = 0;
  #isActing = true;
  readonly #wake = new AbortController();

  constructor(
    readonly name: string,
    private readonly random: Random,
    private readonly parts: UserParts,
  ) {}

  /** Acts until `rest`. */
  async act(): Promise<void> {
    const [low, high] = this.parts.waitMs;
    while (this.#isActing) {
      await this.#do(this.random.weighted(this.parts.weights));
      const wait = this.random.between(low, high);
      await pause(wait, undefined, { signal: this.#wake.signal }).catch(() => {});
    }
  }

  rest(): void {
    this.#isActing = false;
    this.#wake.abort();
    for (const program of this.programs) program.unsilence();
  }

  get running(): readonly Program[] {
    return this.programs.filter((program) => program.isRunning);
  }

  get beliefs(): readonly Belief[] {
    return this.programs.flatMap(({ belief }) => belief ?? []);
  }

  get holders(): readonly Program[] {
    return this.running.filter((program) => program.heldEpoch !== null);
  }

  async start(machine: string, onConflict: 'takeover' | 'deny' | 'ask' = 'takeover'): Promise<Program> {
    const name = `${this.name}/${machine}#${++this.#started}`;
    this.parts.history.note(name, `starts (${onConflict})`);
    const program = await Program.start(
      { name, user: this.name, machine, onConflict, answers: this.parts.answers },
      this.parts,
    );
    this.programs.push(program);
    return program;
  }

  async #do(act: Act): Promise<void> {
    const { random } = this;
    const machines = Array.from({ length: this.parts.machines }, (_, i) => `pc${i + 1}`);
    const machine = random.pick(machines);
    const there = this.running.filter((program) => program.machine === machine).at(-1);
    const holders = this.holders;
    const holder = holders.length > 0 ? random.pick(holders) : undefined;
    switch (act) {
      case 'start':
      case 'start-deny':
        // One program a machine, but for a clone: whoever runs here already is asked again by its person.
        if (there !== undefined) there.takeOver();
        else await this.start(machine, act === 'start' ? 'takeover' : 'deny');
        break;
      case 'take-over':
        there?.takeOver();
        break;
      case 'race':
        await Promise.all(machines.map((one) => this.#crashAndStart(one, false)));
        break;
      case 'move':
        await this.#move(holder, random.pick(machines));
        break;
      case 'restart':
        await this.#crashAndStart(machine, true);
        break;
      case 'clone':
        if (holder !== undefined) await this.start(holder.machine);
        break;
      case 'release':
        void holder?.release();
        break;
      case 'crash':
        this.#note(holder, 'crashes');
        holder?.crash();
        break;
      case 'cut':
        this.#note(holder, 'loses its connection');
        holder?.cutConnection();
        break;
      case 'silence':
        if (holder !== undefined) this.#silence(holder);
        break;
      case 'lag':
        if (holder !== undefined) this.#lag(holder);
        break;
      case 'ask':
        if (there === undefined) await this.start(machine, 'ask');
        break;
      case 'leave':
        holder?.takeAlong(random.between(1200, 4000));
        break;
      case 'nap':
        holder?.nap(random.between(2000, 6000));
        break;
      case 'evict':
        void evictUser(this.name, this.parts.history, this.parts.evict);
        break;
    }
  }

  /** Starts the program elsewhere, then ends the one that was left running there, which may not know yet. */
  async #move(old: Program | undefined, machine: string): Promise<void> {
    if (old === undefined || old.machine === machine) return;
    const there = this.running.find((program) => program.machine === machine);
    there?.takeOver();
    const next = there ?? (await this.start(machine));
    const deadlineMs = performance.now() + MOVE_PATIENCE_MS;
    while (next.heldEpoch === null && performance.now() < deadlineMs) await pause(5);
    if (old.isRunning) void old.release();
  }

  async #crashAndStart(machine: string, onlyRunning: boolean): Promise<void> {
    const there = this.running.filter((program) => program.machine === machine);
    if (onlyRunning && there.length === 0) return;
    for (const program of there) {
      this.#note(program, 'crashes');
      program.crash();
    }
    await this.start(machine);
  }

  #silence(program: Program): void {
    const directions = this.random.pick([['up'], ['down'], ['up', 'down']] as const);
    const forMs = this.random.between(200, 2500);
    this.#note(program, `hears nothing for ${forMs.toFixed(0)} ms (${directions.join(', ')})`);
    program.silence(directions);
    setTimeout(() => program.unsilence(), forMs);
  }

  /** Longer than the third of a TTL, beyond which the library takes another connection. */
  #lag(program: Program): void {
    const eachWayMs = this.random.between(timing.ttlMs * 0.35, timing.ttlMs * 0.8);
    const forMs = this.random.between(1500, 4000);
    this.#note(program, `lags by ${eachWayMs.toFixed(0)} ms each way for ${forMs.toFixed(0)} ms`);
    program.lag(eachWayMs);
    setTimeout(() => program.unsilence(), forMs);
  }

  #note(program: Program | undefined, what: string): void {
    if (program !== undefined) this.parts.history.note(program.name, what);
  }
}

async function evictUser(user: string, history: History, evict: UserParts['evict']): Promise<void> {
  const record = {
    user,
    sentMs: performance.now(),
    ackMs: null as number | null,
    epoch: null as number | null,
  };
  history.adminEvictions.push(record);
  try {
    record.epoch = (await evict(user))?.epoch ?? null;
    record.ackMs = performance.now();
    if (record.epoch !== null) history.note('admin', `evicted ${user} from epoch ${record.epoch}`);
  } catch {
    history.note('admin', `got no answer to the eviction of ${user}`);
  }
}
