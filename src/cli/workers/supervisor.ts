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
}

/** Runs the processes of a group, each a node of its own, and starts again those that die. Holds no session itself. */
export class Supervisor {
  readonly #log: Log;
  readonly #members = new Map<number, Member>();
  readonly #addresses: GroupAddresses;
  readonly #metrics = new GroupMetrics();
  /** A worker has been ready to take sessions: the settings were good, and the ports free. */
  #hasStarted = false;
  #isStopping = false;
  #exitCode: number = exitCodes.ok;
  #tellAllEnded = () => {};
  readonly #allEnded = new Promise<void>((resolve) => {
    this.#tellAllEnded = resolve;
  });

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
    cluster.on('exit', (worker, code, signal) => this.#ended(worker, code, signal));
    await this.#allEnded;
    return this.#exitCode;
  }

  #start(number: number): void {
    let worker: Worker;
    try {
      worker = cluster.fork({ [WORKER_NUMBER]: String(number) });
    } catch (error) {
      this.#log.error({ err: error, worker: number }, 'a worker could not be started, and is tried again');
      void this.#startAgain(number, AGAIN_AFTER_MS);
      return;
    }
    const { id } = worker;
    worker.on('error', () => {
      // No process came of it, and no exit tells so. Otherwise something was on its way to it when it ended: its exit counts.
      if (worker.process.pid === undefined) this.#ended(worker, null, null);
    });
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
          this.#hasStarted = true;
        },
      },
    );
    this.#members.set(id, { number, worker, channel, sinceMs: monotonicMs() });
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
      // SIGTERM ends a worker that is still starting: it has nothing to drain.
      if (code !== 0 && signal !== 'SIGTERM' && this.#exitCode === exitCodes.ok)
        this.#exitCode = code ?? exitCodes.failed;
      if (this.#members.size === 0) this.#tellAllEnded();
      return;
    }
    const { number, sinceMs } = member;
    const how = { worker: number, code, signal };
    // It said why: bad settings, a port that is taken.
    const cannotStart = code === exitCodes.config || code === exitCodes.unavailable;
    // promise 17: what once was right may be so again, and the others go on meanwhile.
    if (cannotStart && !this.#hasStarted) {
      this.#log.error(how, 'a worker cannot start, so that none of them can');
      this.#exitCode = code;
      this.#stop();
      return;
    }
    this.#log.error(
      how,
      cannotStart ? 'a worker cannot start again, and is tried again' : 'a worker died, and is started again',
    );
    void this.#startAgain(number, monotonicMs() - sinceMs < SHORT_LIFE_MS ? AGAIN_AFTER_MS : 0);
  }

  async #startAgain(number: number, inMs: number): Promise<void> {
    await pause(inMs);
    if (!this.#isStopping) this.#start(number);
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

  /** The first that is ready speaks for all: the next session goes to it. */
  async #isAnyReady(): Promise<boolean> {
    if (this.#isStopping) return false;
    const asked = [...this.#members.values()].map(async ({ channel }) => {
      if ((await channel.ask('ownReady')) !== true) throw new Error('not ready');
      return true;
    });
    return inTime(
      Promise.any(asked).catch(() => false),
      false,
    );
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
    await inTime(Promise.all(asked), []);
  }
}

function inTime<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  return Promise.race([answer, pause(ANSWER_WITHIN_MS, otherwise, { ref: false })]);
}
