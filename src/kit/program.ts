import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Transcript } from './transcript.js';

/** A line that the program reads on its standard input. */
export type Order =
  | ('takeover' | 'retry' | 'release' | 'quit' | 'active' | 'ask' | 'refuse')
  | `${'idle' | 'yield' | 'leave'} ${number}`;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

const KEPT_ERROR_BYTES = 2_000;

/** The client under test: COMMAND as a process. */
export class Program {
  /** Each `holds true|false` that it printed. */
  readonly printed: { readonly atMs: number; readonly holds: boolean }[] = [];
  exited: { readonly code: number | null; readonly signal: string | null; readonly atMs: number } | null =
    null;
  /** Why it could not be started. */
  fault: string | null = null;
  readonly startedMs = performance.now();
  /** It was told to go. */
  mayEnd = false;
  private errors = '';
  private readonly child: ChildProcess;

  constructor(
    command: Command,
    environment: Readonly<Record<string, string>>,
    private readonly transcript: Transcript,
  ) {
    this.child = spawn(command.file, command.args, {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Its own group, so that what it started ends with it.
      detached: true,
    });
    this.child.on('error', (error) => {
      this.fault = error.message;
      this.note(`could not be started: ${error.message}`);
    });
    this.child.on('exit', (code, signal) => {
      this.exited = { code, signal, atMs: performance.now() };
      this.note(
        `ended with ${signal ?? code}${this.errors === '' ? '' : `; it said: ${this.errors.replaceAll(/\s+/g, ' ')}`}`,
      );
    });
    // A program that has ended reads no more.
    this.child.stdin?.on('error', () => {});
    this.child.stderr?.on('data', (data) => {
      this.errors = (this.errors + data).slice(-KEPT_ERROR_BYTES);
    });
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on('line', (line) => this.read(line));
  }

  /** The last `holds` line that the program printed; null before the first one. */
  get holds(): boolean | null {
    return this.printed.at(-1)?.holds ?? null;
  }

  tell(order: Order): void {
    this.transcript.add('script', `types "${order}"`);
    this.mayEnd ||= order === 'release' || order === 'quit' || order.startsWith('leave');
    this.child.stdin?.write(`${order}\n`);
  }

  closeInput(): void {
    this.transcript.add('script', 'ends the standard input');
    this.mayEnd = true;
    this.child.stdin?.end();
  }

  /** The whole process stands still, as under a debugger or in a stopped virtual machine. */
  stop(): void {
    this.signal('SIGSTOP');
  }

  goOn(): void {
    this.signal('SIGCONT');
  }

  kill(): void {
    if (this.exited === null && this.child.pid !== undefined) this.signalGroup('SIGKILL');
  }

  private signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.transcript.add('script', `sends ${name}`);
    this.signalGroup(name);
  }

  private signalGroup(name: NodeJS.Signals): void {
    try {
      if (process.platform === 'win32') this.child.kill(name);
      else if (this.child.pid !== undefined) process.kill(-this.child.pid, name);
    } catch {
      // It has ended meanwhile.
    }
  }

  private read(line: string): void {
    const match = /^\s*holds (true|false)\s*$/.exec(line);
    if (match === null) return;
    this.printed.push({ atMs: performance.now(), holds: match[1] === 'true' });
    this.note(`prints "holds ${match[1]}"`);
  }

  private note(text: string): void {
    this.transcript.add('program', text);
  }
}
