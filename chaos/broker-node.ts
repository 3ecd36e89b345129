import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { endWithParent, hasEnded } from '../src/embedded/child-process.js';
import { pickFreePort } from '../src/embedded/redis-probe.js';
import type { History } from './history.js';
import { workFolder } from './places.js';
import { Relay } from './relay.js';
import { nodeSettings } from './timing.js';

const POLL_MS = 30;
const ASK_TIMEOUT_MS = 20_000;
/** The exit code of a node that cannot have its Redis. */
const REDIS_AWAY = 69;
const END_TIMEOUT_MS = 30_000;
const LINES_KEPT = 15;

/** A broker node in a process of its own, and its way to Redis, both of which can be hurt. */
export class BrokerNode {
  /** Throws away what Redis sends on the node's inbox connection. */
  losesInbox = false;
  /** Whether somebody at the front door would send clients here. */
  isUp = false;
  #child: ChildProcess | null = null;
  #isMeantToEnd = false;
  #lastLines: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  private constructor(
    readonly name: string,
    readonly port: number,
    private readonly adminPort: number,
    readonly link: Relay,
    private readonly dist: string,
    private readonly history: History,
  ) {}

  static async create(
    name: string,
    options: { readonly dist: string; readonly history: History; readonly redisPort: () => number },
  ): Promise<BrokerNode> {
    const link = await Relay.start({
      target: options.redisPort,
      // The node names its connections before anything else.
      losesDown: (opening) => node.losesInbox && opening.includes('soleseat-inbox'),
    });
    const node: BrokerNode = new BrokerNode(
      name,
      await pickFreePort(),
      await pickFreePort(),
      link,
      options.dist,
      options.history,
    );
    return node;
  }

  /** Starts the process, again and again while Redis cannot be had, until `mayGoOn` says no. Rejects at any other failure. */
  async start(mayGoOn: () => boolean = () => true): Promise<void> {
    while (mayGoOn()) {
      if (await this.#launch(mayGoOn)) {
        this.isUp = true;
        this.history.note(this.name, 'is ready');
        return;
      }
      this.history.note(this.name, `could not begin: ${this.#lastLines.at(-1)}`);
      if (this.#child?.exitCode !== REDIS_AWAY && mayGoOn())
        throw new Error(`${this.name} cannot begin:\n${this.#lastLines.join('\n')}`);
      await pause(POLL_MS);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Ends the process with that signal and waits for its end. */
  async stop(name: NodeJS.Signals): Promise<void> {
    this.isUp = false;
    this.#isMeantToEnd = true;
    const child = this.#child;
    if (child === null || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill(name);
    const overdue = setTimeout(() => {
      this.history.accident(this.name, `did not end within ${END_TIMEOUT_MS / 1000} s of ${name}`);
      child.kill('SIGKILL');
    }, END_TIMEOUT_MS);
    await ended;
    clearTimeout(overdue);
    this.history.note(this.name, `ended after ${name}`);
  }

  /** How long the node takes to answer `/livez`, in ms; null where it does not. */
  async answerTimeMs(): Promise<number | null> {
    const sentMs = performance.now();
    return (await this.#ask('/livez', ASK_TIMEOUT_MS)) === 200 ? performance.now() - sentMs : null;
  }

  async dispose(): Promise<void> {
    await this.stop('SIGKILL');
    this.#agent.destroy();
    this.link.stop();
  }

  async #launch(mayGoOn: () => boolean): Promise<boolean> {
    this.#isMeantToEnd = false;
    const child = spawn(process.execPath, [join(this.dist, 'cli', 'main.js'), 'serve'], {
      env: {
        ...plainEnvironment(),
        ...nodeSettings,
        SOLESEAT_TICKET_KEYS: ticketKeys(),
        REDIS_URL: `redis://127.0.0.1:${this.link.port}`,
        SOLESEAT_PORT: String(this.port),
        SOLESEAT_ADMIN_PORT: String(this.adminPort),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    endWithParent(child);
    createInterface({ input: child.stderr }).on('line', (line) => this.#hear(line));
    child.once('exit', (code, signal) => this.#ended(child, code ?? signal));
    while (!hasEnded(child)) {
      if ((await this.#ask('/readyz', 1000)) === 200) return true;
      if (!mayGoOn()) await this.stop('SIGKILL');
      await pause(POLL_MS);
    }
    return false;
  }

  /** A node that cannot begin may end; one that served may not, whatever happens to Redis. */
  #ended(child: ChildProcess, how: number | string | null): void {
    const wasServing = this.isUp && child === this.#child && !this.#isMeantToEnd;
    if (!wasServing) return;
    this.isUp = false;
    this.history.accident(this.name, `ended by itself with ${how}:\n${this.#lastLines.join('\n')}`);
  }

  #hear(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > LINES_KEPT) this.#lastLines.shift();
    if (!line.includes('"epoch"')) return;
    try {
      const { msg, epoch, path, reason } = JSON.parse(line) as Record<string, unknown>;
      this.history.nodeEvents.push({
        node: this.name,
        atMs: performance.now(),
        what: `${msg} (${reason})`,
        epoch: Number(epoch),
        path: typeof path === 'string' ? path : null,
      });
    } catch {
      // A line that was cut off by the node's death.
    }
  }

  #ask(path: string, timeoutMs: number): Promise<number | null> {
    return new Promise((resolve) => {
      const options = {
        host: '127.0.0.1',
        port: this.adminPort,
        path,
        agent: this.#agent,
        timeout: timeoutMs,
      };
      const request = get(options, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? null));
        response.once('error', () => resolve(null));
      });
      request.once('timeout', () => request.destroy());
      request.once('error', () => resolve(null));
    });
  }
}

/** What the person has set for a broker of their own is not meant for these. */
function plainEnvironment(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(
    ([name]) => name !== 'REDIS_URL' && !name.startsWith('SOLESEAT_'),
  );
  return Object.fromEntries(own);
}

/** The file with the key that all nodes sign tickets with. */
function ticketKeys(): string {
  const file = join(workFolder, 'chaos', 'ticket-keys.pem');
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return file;
}
