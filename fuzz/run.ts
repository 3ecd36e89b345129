import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { attack } from './attack.js';
import { Bystanders } from './bystanders.js';
import { type Fault, type FuzzCase, type Kind, kinds } from './case.js';
import { frameCases, messageCases } from './frames.js';
import { httpCases, type Operation } from './http.js';
import { faultOf } from './judge.js';
import { LEASE_TTL_MS, ownerToken, Stage, tokenOf } from './stage.js';

const BYSTANDERS = 20;
/** Inputs that are under way at once. */
const LANES = 16;
const BATCH = 40;
/** What a node may keep: it remembers failed log-ins, unknown keys and the like, up to a number. */
const GROWTH_BYTES = 24 * 1024 * 1024;
/** What is met for the first time is kept for good: code, caches, labels of metrics. */
const WARM_CASES = 200;
const MOST_FAULTS = 10;
const POLL_MS = 100;
const ORGS = ['fuzz', 'fuzz2'];

export interface FuzzOptions {
  /** The folder of the project. */
  readonly root: string;
  readonly seed: number;
  readonly durationMs: number;
  /** The first input; those before it are left out. */
  readonly from?: number;
  /** At most so many inputs. */
  readonly most?: number;
  readonly onProgress?: (state: FuzzResult) => void;
}

export interface FuzzResult {
  readonly seed: number;
  readonly cases: Readonly<Record<Kind, number>>;
  readonly faults: readonly Fault[];
  readonly longestGapMs: number;
  /** Memory in use after a collection: behind the first inputs, and at the end. */
  readonly leftBytes: { readonly start: number | null; readonly end: number | null };
}

/** Sends inputs that a seed determines to a real broker, and looks at what becomes of it and of others. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const stage = await Stage.start(options.root);
  try {
    return await new Run(stage, await Bystanders.seat(stage.ports.public, BYSTANDERS), options).go();
  } finally {
    await stage.stop();
  }
}

class Run {
  readonly #faults: Fault[] = [];
  readonly #cases: Record<Kind, number> = { frames: 0, messages: 0, http: 0 };
  readonly #endMs: number;
  #next: number;
  #batch: { readonly from: number; readonly cases: readonly FuzzCase[] } = { from: -1, cases: [] };
  #leftAtStart: number | null = null;
  #leftAtEnd: number | null = null;
  #arbitraries: readonly fc.Arbitrary<FuzzCase>[] = [];

  constructor(
    private readonly stage: Stage,
    private readonly bystanders: Bystanders,
    private readonly options: FuzzOptions,
  ) {
    this.#next = options.from ?? 0;
    this.#endMs = performance.now() + options.durationMs;
  }

  async go(): Promise<FuzzResult> {
    const tokens = ['ada', 'grace', 'joan', 'mary'].map((user) => tokenOf(user, 'fuzz'));
    const adminTokens = [ownerToken()];
    const operations = operationsOf(await this.stage.fetchJson('/v1/openapi.json'));
    const http = httpCases({ operations, adminTokens, tokens, orgs: ORGS });
    this.#arbitraries = [frameCases(tokens), messageCases(tokens), http];
    await Promise.all(Array.from({ length: LANES }, () => this.#lane()));
    await this.#settle();
    return this.#result();
  }

  #result(): FuzzResult {
    return {
      seed: this.options.seed,
      cases: this.#cases,
      faults: this.#faults,
      longestGapMs: this.bystanders.longestGapMs,
      leftBytes: { start: this.#leftAtStart, end: this.#leftAtEnd },
    };
  }

  async #lane(): Promise<void> {
    const last = (this.options.from ?? 0) + (this.options.most ?? Number.POSITIVE_INFINITY);
    while (performance.now() < this.#endMs && this.#next < last && this.#faults.length < MOST_FAULTS) {
      const number = this.#next++;
      const input = this.#caseOf(number);
      const outcome = await attack(input, this.stage.ports[input.port]);
      this.#cases[input.kind]++;
      const problem = faultOf(input, outcome);
      if (problem !== null) this.#blame(problem, number, input);
      this.#look(number, input);
      if (number % BATCH === 0) this.options.onProgress?.(this.#result());
      if (!this.stage.isAlive) return;
      if (number === (this.options.from ?? 0) + WARM_CASES) this.#leftAtStart = await this.stage.leftBytes();
    }
  }

  /** The input of that number: the same for the same seed, whatever came before. */
  #caseOf(number: number): FuzzCase {
    const from = number - (number % BATCH);
    if (this.#batch.from !== from) {
      const numRuns = Math.ceil(BATCH / kinds.length);
      const sampled = this.#arbitraries.map((one) =>
        fc.sample(one, { seed: this.options.seed + from, numRuns }),
      );
      this.#batch = {
        from,
        cases: sampled[0]?.flatMap((_, index) => sampled.flatMap((some) => some[index] ?? [])) ?? [],
      };
    }
    const input = this.#batch.cases[number - from];
    if (input === undefined) throw new Error('a batch is too short');
    return input;
  }

  /** What no single answer tells. The input of the moment may not be the one to blame. */
  #look(number: number, input: FuzzCase): void {
    for (const line of this.stage.complaints.splice(0))
      this.#blame(`the log: ${line.slice(0, 500)}`, number, input);
    if (!this.stage.isAlive) this.#blame('the process has ended', number, input);
    const { lost, longestGapMs } = this.bystanders;
    if (lost.length > 0) this.#blame(`bystanders were closed: ${lost.join(', ')}`, number, input);
    if (longestGapMs > LEASE_TTL_MS / 2)
      this.#blame(`a bystander had no lease for ${Math.round(longestGapMs)} ms`, number, input);
  }

  /** Whether all that was there in the midst of it has gone again. */
  async #settle(): Promise<void> {
    if (!this.stage.isAlive) return;
    await this.bystanders.confirmed(LEASE_TTL_MS / 2);
    const quietMs = performance.now() + LEASE_TTL_MS;
    let connections = await this.stage.connections();
    while (connections > this.bystanders.count && performance.now() < quietMs) {
      await pause(POLL_MS);
      connections = await this.stage.connections();
    }
    if (connections !== this.bystanders.count) this.#blame(`${connections} connections are open at the end`);
    this.#leftAtEnd = await this.stage.leftBytes();
    const grownBytes = (this.#leftAtEnd ?? 0) - (this.#leftAtStart ?? this.#leftAtEnd ?? 0);
    if (grownBytes > GROWTH_BYTES) this.#blame(`memory grew by ${grownBytes} bytes`);
    const { lost } = this.bystanders;
    if (lost.length > 0) this.#blame(`bystanders were closed: ${lost.join(', ')}`);
    for (const line of this.stage.complaints.splice(0)) this.#blame(`the log: ${line.slice(0, 500)}`);
    this.bystanders.leave();
  }

  #blame(what: string, number: number | null = null, input: FuzzCase | null = null): void {
    if (this.#faults.length >= MOST_FAULTS) return;
    const shown =
      input === null
        ? ''
        : `${input.port}: ${JSON.stringify(input.writes.map((bytes) => bytes.toString('latin1').slice(0, 2000)))}`;
    this.#faults.push({ number, what, input: shown });
  }
}

interface OpenApi {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly { readonly name: string; readonly in: string }[];
            readonly requestBody?: {
              readonly content: Readonly<
                Record<string, { readonly schema?: { readonly properties?: object } }>
              >;
            };
          }
        >
      >
    >
  >;
}

/** What the API's own document lists. */
function operationsOf(document: unknown): readonly Operation[] {
  return Object.entries((document as OpenApi).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]): Operation => {
      const [contentType = 'application/json', content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
      const query = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
      const body = content === undefined ? null : Object.keys(content.schema?.properties ?? {});
      return { method: method.toUpperCase(), path, query, body, contentType };
    }),
  );
}
