import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { endWithParent, hasEnded } from '../src/embedded/child-process.js';
import type { History } from './history.js';
import { root } from './places.js';
import type { Seat, SeatEvent, SeatPlan } from './seat.js';
import { monotonicMs } from './timing.js';

export type Order =
  | { readonly do: 'start'; readonly plan: SeatPlan }
  | { readonly do: 'takeOver' | 'release' | 'crash' | 'disconnect'; readonly name: string };

export interface Report {
  readonly name: string;
  readonly event: SeatEvent;
}

const compiled = join(root, 'chaos', 'dist', 'chaos');

/** A process with the programs of one machine of every user, which can be stopped with SIGSTOP. */
export class Desk {
  readonly #listeners = new Map<string, (event: SeatEvent) => void>();

  private constructor(private readonly child: ChildProcess) {
    child.on('message', ({ name, event }: Report) => this.#listeners.get(name)?.(event));
    // What is written to a process that has just ended tells nothing new.
    child.on('error', () => {});
  }

  static async start(dist: string, history: History): Promise<Desk> {
    compileOnce();
    // Both clocks are CLOCK_MONOTONIC: only their zeros differ.
    const beganMs = monotonicMs() - performance.now();
    const child = fork(join(compiled, 'desk-process.js'), [dist, String(beganMs)], { execArgv: [] });
    endWithParent(child);
    const ended = once(child, 'exit').then(() => {
      throw new Error('the desk ended before it was ready');
    });
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => {});
    child.once('exit', (code, signal) => {
      if (signal !== 'SIGKILL') history.accident('desk', `ended by itself with ${code ?? signal}`);
    });
    return new Desk(child);
  }

  /** The programs that live there. */
  get names(): string[] {
    return [...this.#listeners.keys()];
  }

  begin(plan: SeatPlan, listener: (event: SeatEvent) => void): Seat {
    const { name } = plan;
    this.#listeners.set(name, listener);
    this.#order({ do: 'start', plan });
    const order = (what: Exclude<Order['do'], 'start'>) => this.#order({ do: what, name });
    return {
      takeOver: () => order('takeOver'),
      release: () => order('release'),
      // Only programs of this process take their seats along.
      leave: () => {},
      nap: () => {},
      crash: () => order('crash'),
      disconnect: () => order('disconnect'),
      // It tells by itself.
      tell: () => {},
    };
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async stop(): Promise<void> {
    if (hasEnded(this.child)) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  #order(order: Order): void {
    if (this.child.connected) this.child.send(order, () => {});
  }
}

let isCompiled = import.meta.dirname === compiled;

/** Tests run these sources as they are, but a process of its own needs them compiled. */
function compileOnce(): void {
  if (isCompiled) return;
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const project = join(root, 'chaos', 'tsconfig.json');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the checker does not compile:\n${stdout}`);
  isCompiled = true;
}
