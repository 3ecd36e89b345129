import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.js';

/** A client program as a process of its own: it can be stopped and goes on, and prints a line for what happens. */
export class ClientProcess {
  readonly lines: string[] = [];
  private readonly closed: Promise<unknown>;

  private constructor(readonly child: ChildProcess) {
    this.closed = once(child, 'close');
    if (child.stdout === null) throw new Error('the program has no standard output');
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
  }

  static start(
    command: string,
    args: readonly string[],
    more: Readonly<Record<string, string | undefined>> = {},
  ): ClientProcess {
    const env = { ...process.env, ...more };
    return new ClientProcess(spawn(command, args, { env, stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  /** The program of the client library. */
  static library(port: number, token: string, machine: string): ClientProcess {
    const script = fileURLToPath(new URL('client-program.mjs', import.meta.url));
    const url = `ws://127.0.0.1:${port}/v1/connect`;
    return ClientProcess.start(process.execPath, [script], { URL: url, TOKEN: token, MACHINE: machine });
  }

  /** Waits for a line. Rejects when the program ends without it. */
  async printed(isIt: string | ((line: string) => boolean), from = 0): Promise<void> {
    const { lines, child } = this;
    const matches = typeof isIt === 'string' ? (line: string) => line === isIt : isIt;
    await eventually(() => {
      if (lines.slice(from).some(matches)) return true;
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`);
      return false;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\nit printed:\n${lines.join('\n')}`);
    });
  }

  /** What it said last of holding the seat. */
  get holds(): boolean {
    return this.lines.filter((line) => line.startsWith('holds ')).at(-1) === 'holds true';
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** The exit status, null after a signal. All that it printed has been read then. */
  async ended(): Promise<number | null> {
    await this.closed;
    return this.child.exitCode;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }
}
