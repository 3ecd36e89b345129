import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SettingTexts } from '../../src/base/settings.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { eventually } from './eventually.js';
import { testTexts } from './node.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const hooks = new URL('node-hooks.mjs', import.meta.url).href;

/** A broker node as a process of its own, which can be killed and stopped. */
export class NodeProcess {
  /** What it logged, a line each. Errors are shown too. */
  readonly lines: string[] = [];
  #frozenAtMs = 0;
  readonly #closed: Promise<unknown>;

  private constructor(
    readonly child: ChildProcess,
    readonly ports: { readonly public: number; readonly admin: number },
  ) {
    // Not 'exit', after which lines may still lie in the pipe.
    this.#closed = once(child, 'close');
    if (child.stderr === null) return;
    createInterface({ input: child.stderr }).on('line', (line) => {
      this.lines.push(line);
      if (!/"level":[1-4]0\b/.test(line)) process.stderr.write(`${line}\n`);
    });
  }

  static async start(
    redisUrl: string,
    more: SettingTexts = {},
    how: {
      readonly hooks?: Readonly<Record<string, string>>;
      readonly args?: readonly string[];
      /** Behind `serve`. */
      readonly options?: readonly string[];
      readonly ports?: { readonly public: number; readonly admin: number };
      /** Another program than this build's. */
      readonly main?: string;
    } = {},
  ): Promise<NodeProcess> {
    const ports = how.ports ?? { public: await pickFreePort(), admin: await pickFreePort() };
    const texts = testTexts(redisUrl, { SOLESEAT_LOG_LEVEL: 'error', ...more });
    const env = {
      ...process.env,
      ...texts,
      ...how.hooks,
      SOLESEAT_PORT: String(ports.public),
      SOLESEAT_ADMIN_PORT: String(ports.admin),
    };
    const preload = how.hooks === undefined ? [] : ['--import', hooks];
    const args = [...preload, ...(how.args ?? []), how.main ?? main, 'serve', ...(how.options ?? [])];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const node = new NodeProcess(child, ports);
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}`);
      return (await node.readiness()) === 200;
    });
    return node;
  }

  /** The status of /readyz, or 0 when nobody answers. */
  async readiness(): Promise<number> {
    return fetch(`http://127.0.0.1:${this.ports.admin}/readyz`).then(
      (response) => response.status,
      () => 0,
    );
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Stops the process, and waits until it stands still: what is sent from then on lies in its sockets. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP');
    await eventually(() =>
      / T /.test(readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').replace(/.*\)/, '')),
    );
    this.#frozenAtMs = performance.now();
  }

  /** Lets it go on, once it has stood still for so long. */
  async thaw(afterMs: number): Promise<void> {
    await eventually(() => performance.now() - this.#frozenAtMs >= afterMs);
    this.signal('SIGCONT');
  }

  /** Waits until it has logged so many lines like this one. They come late, as the node gathers them. */
  async logged(line: RegExp, count = 1): Promise<void> {
    await eventually(() => this.lines.filter((one) => line.test(one)).length >= count);
  }

  /** Waits for the end, and until all that it wrote has been read. Gives the exit code, null after a signal. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.child.exitCode;
  }

  /** Ends it as an operator does. All that it logged is in `lines` afterwards. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    await this.ended();
  }

  /** Ends it as a crash does: the lines that it had gathered are lost. A test that reads them ends it by `stop`. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended();
  }
}
