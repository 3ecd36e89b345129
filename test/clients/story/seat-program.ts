import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command, Order } from '../../../src/kit/program.js';
import { eventually } from '../../support/eventually.js';

/** A question of the program to its client, "may I count on the seat?", and the answer. CLOCK_MONOTONIC in ms. */
export interface Look {
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly holds: boolean;
}

/** How a kit program is started. */
export interface SeatCommand extends Command {
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const NS_PER_MS = 1e6;

/** The kit program of a library as a process, which tells each look. */
export class SeatProgram {
  holds = false;
  looks = 0;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lastLines: string[] = [];

  constructor(
    { file, args, environment: own }: SeatCommand,
    environment: Readonly<Record<string, string>>,
    private readonly onLook: (look: Look) => void,
  ) {
    const env = { ...process.env, ...own, ...environment, SEAT_LOOKS: '1' };
    this.#child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    // A program that has ended reads no more.
    this.#child.stdin?.on('error', () => {});
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line));
  }

  tell(order: Order): void {
    this.#child.stdin?.write(`${order}\n`);
  }

  /** Stops the process, and waits until each of its threads stands still. */
  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP');
    await eventually('the program to stand still', () =>
      threadStates(this.#child.pid).every((state) => state === 'T'),
    );
  }

  goOn(): void {
    this.#child.kill('SIGCONT');
  }

  /** Settles when all that it printed has been read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Its exit code. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Throws where it has ended, with the last that it said. */
  refuseEnd(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode === null && signalCode === null) return;
    throw new Error(`the program ended with ${exitCode ?? signalCode}:\n${this.#lastLines.join('\n')}`);
  }

  #read(line: string): void {
    const look = /^look (\d+) (\d+) (true|false)$/.exec(line);
    if (look === null) {
      this.#lastLines.push(line);
      if (this.#lastLines.length > 10) this.#lastLines.shift();
      return;
    }
    this.holds = look[3] === 'true';
    this.looks++;
    this.onLook({
      beforeMs: Number(look[1]) / NS_PER_MS,
      afterMs: Number(look[2]) / NS_PER_MS,
      holds: this.holds,
    });
  }
}

/** As /proc tells them: T stands still. A thread may end while it is looked at. */
function threadStates(pid: number | undefined): string[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).flatMap((task) => {
    try {
      return /\) (\S)[^)]*$/.exec(readFileSync(`${tasks}/${task}/stat`, 'utf8'))?.[1] ?? [];
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw fault;
    }
  });
}
