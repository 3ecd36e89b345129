import cluster, { type Worker } from 'node:cluster';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../base/clock.js';
import { createLog, type Log } from '../../base/log.js';
import type { Settings } from '../../base/settings.js';
import { exitCodes } from '../failure.js';
import { Channel } from './channel.js';
import { GroupAddresses } from './group-addresses.js';
import { GroupMetrics, type OwnMetrics } from './group-metrics.js';
import { WORKER_NUMBER } from './names.js';

/** A worker that lived for less is not started again at once: what ended it would end the next one too. */
const SHORT_LIFE_MS = 10_000;
const AGAIN_AFTER_MS = 1000;
/** A worker that stands still does not hold up what is asked of all. */
const ANSWER_WITHIN_MS = 1000;

interface Member {
  readonly number: number;
  readonly worker: Worker;
  readonly channel: Channel;
  readonly sinceMs: number;
  hasStarted: boolean;
}

/** Runs the processes of a group, each a node of its own, and starts again those that die. Holds no session itself. */
export class Supervisor {
  readonly #log: Log;
  readonly #members = new Map<number, Member>();
  readonly #addresses: GroupAddresses;
  readonly #metrics = new GroupMetrics();
  #isStopping = false;
  #exitCode: number = exitCodes.ok;

  constructor(
    private readonly count: number,
    settings: Settings,
  ) {
    this.#log = createLog(settings.logLevel, 'supervisor');
    this.#addresses = new GroupAddresses(settings, monotonicMs);
  }

  /** Resolves with the exit code once all have ended. */
  async run(): Promise<number> {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#stop());
    process.on('SIGHUP', () => this.#signal('SIGHUP'));
    for (let number = 1; number <= this.count; number += 1) this.#start(number);
    await new Promise<void>((resolve) => {
      cluster.on('exit', (worker, code, signal) => {
        this.#ended(worker, code, signal);
        if (this.#isStopping && this.#members.size === 0) resolve();
      });
    });
    return this.#exitCode;
  }

  #start(number: number): void {
    const worker = cluster.fork({ [WORKER_NUMBER]: String(number) });
    const { id } = worker;
    // It ended while something was on its way to it. Its exit is what counts.
    worker.on('error', () => {});
    const channel = new Channel(
      {
        send: (message) => {
          if (worker.isConnected()) worker.send(message);
        },
        onMessage: (listener) => worker.on('message', listener),
      },
      {
        enter: ({ address, isKnown }) => this.#addresses.enter(id, address, isKnown),
        left: (address) => this.#addresses.left(id, address),
        attempted: (address) => this.#addresses.attempted(address),
        stranger: (address) => this.#addresses.sawStranger(address),
        metrics: () => this.#allMetrics(),
        ready: () => this.#isAnyReady(),
        started: () => {
          const member = this.#members.get(id);
          if (member !== undefined) member.hasStarted = true;
        },
      },
    );
    this.#members.set(id, { number, worker, channel, sinceMs: monotonicMs(), hasStarted: false });
    this.#log.info({ worker: number, pid: worker.process.pid }, 'worker started');
  }

  #ended({ id }: Worker, code: number | null, signal: string | null): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    member.channel.close();
    this.#addresses.forget(id);
    this.#metrics.ended(id);
    if (this.#isStopping) {
      if (code !== 0 && this.#exitCode === exitCodes.ok) this.#exitCode = code ?? exitCodes.failed;
      return;
    }
    const { number, hasStarted, sinceMs } = member;
    const how = { worker: number, code, signal };
    // A worker that ends with this code said why, and time does not mend it: bad settings, a port that is taken.
    if (!hasStarted && (code === exitCodes.config || code === exitCodes.unavailable)) {
      this.#log.error(how, 'a worker cannot start, so that none of them can');
      this.#exitCode = code;
      this.#stop();
      return;
    }
    this.#log.error(how, 'a worker died, and is started again');
    const waitMs = monotonicMs() - sinceMs < SHORT_LIFE_MS ? AGAIN_AFTER_MS : 0;
    void pause(waitMs).then(() => {
      if (!this.#isStopping) this.#start(number);
    });
  }

  /** All drain at once. A second signal ends them: the person does not want to wait. */
  #stop(): void {
    if (this.#isStopping && this.#exitCode === exitCodes.ok) this.#exitCode = exitCodes.interrupted;
    this.#signal(this.#isStopping ? 'SIGKILL' : 'SIGTERM');
    this.#isStopping = true;
    if (this.#members.size === 0) process.exit(this.#exitCode);
  }

  #signal(signal: NodeJS.Signals): void {
    for (const { worker } of this.#members.values()) worker.process.kill(signal);
  }

  async #allMetrics(): Promise<string> {
    await this.#askAll('ownMetrics', (id, metrics) => this.#metrics.heard(id, metrics as OwnMetrics));
    return this.#metrics.text();
  }

  async #isAnyReady(): Promise<boolean> {
    let isAny = false;
    if (this.#isStopping) return isAny;
    await this.#askAll('ownReady', (_, isReady) => {
      isAny ||= isReady === true;
    });
    return isAny;
  }

  /** Those that do not answer in time are left out. */
  async #askAll(about: string, onAnswer: (id: number, answer: unknown) => void): Promise<void> {
    const asked = [...this.#members].map(([id, { channel }]) =>
      channel.ask(about).then(
        (answer) => this.#members.has(id) && onAnswer(id, answer),
        // It has ended meanwhile.
        () => {},
      ),
    );
    const late = new AbortController();
    await Promise.race([
      Promise.all(asked),
      pause(ANSWER_WITHIN_MS, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
  }
}
