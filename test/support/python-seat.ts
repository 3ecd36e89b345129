import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ClientProcess } from './client-process.js';
import { toolRecord } from './tools.js';

const root = new URL('../../', import.meta.url);
const folder = fileURLToPath(new URL('clients/python/', root));
export const faces = ['asyncio', 'blocking'] as const;
export type Face = (typeof faces)[number];

/** The Python that the set-up of `npm test` found, and where its packages and the client library are. */
export function pythonWithLibrary(): { readonly path: string; readonly env: NodeJS.ProcessEnv } {
  const found = toolRecord<{ readonly path: string; readonly pythonPath?: string }>('python');
  // For another Python, or another version of its WebSocket library.
  const path = process.env.TEST_PYTHON ?? found.path;
  const packages = process.env.TEST_PYTHON_PATH ?? found.pythonPath;
  return { path, env: { PYTHONPATH: [folder, packages].filter(Boolean).join(':') } };
}

/** Gives tokens to a program as an HTTP service does: at once, never, or a failure. */
export class TokenServer {
  answer: (response: ServerResponse) => void;
  asked = 0;

  private constructor(
    private readonly server: Server,
    token: () => string,
  ) {
    this.answer = (response) => response.end(token());
    server.on('request', (_, response) => {
      this.asked++;
      this.answer(response);
    });
  }

  static async start(token: () => string): Promise<TokenServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TokenServer(server, token);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/token`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

export interface PythonEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The kit program of the Python library, in one of its two faces. */
export class PythonSeat {
  readonly process: ClientProcess;

  constructor(
    face: Face,
    readonly tokens: TokenServer,
    { url, machine = 'workstation', options = {}, authority }: PythonSeatOptions,
  ) {
    const { path, env } = pythonWithLibrary();
    this.process = ClientProcess.start(path, [`${folder}kit_program.py`, face], {
      ...env,
      PYTHONWARNINGS: 'error::ResourceWarning',
      SEAT_URL: url,
      SEAT_TOKEN_URL: tokens.url,
      SEAT_MACHINE_ID: machine,
      SEAT_MACHINE_NAME: machine,
      SEAT_OPTIONS: JSON.stringify(options),
      SEAT_CA: authority,
    });
  }

  get events(): PythonEvent[] {
    return this.process.lines
      .filter((line) => line.startsWith('event '))
      .map((line) => JSON.parse(line.slice('event '.length)) as PythonEvent);
  }

  all(name: string): PythonEvent[] {
    return this.events.filter(({ event }) => event === name);
  }

  /** What it said of holding the seat, in order. */
  get holds(): boolean[] {
    return this.process.lines
      .filter((line) => line.startsWith('holds '))
      .map((line) => line === 'holds true');
  }

  /** The nth event of that name, counted from 1, once it has come. */
  async told(name: string, nth = 1): Promise<PythonEvent> {
    await this.process.printed(() => this.all(name).length >= nth);
    const found = this.all(name)[nth - 1];
    if (found === undefined) throw new Error(`no ${name} ${nth}`);
    return found;
  }

  /** Waits until it says that it holds the seat, or does not. */
  async saysHolding(wanted: boolean): Promise<void> {
    await this.process.printed(() => this.holds.at(-1) === wanted);
  }

  say(command: 'takeover' | 'retry' | 'release' | 'quit'): void {
    this.process.write(`${command}\n`);
  }
}

export interface PythonSeatOptions {
  readonly url: string;
  readonly machine?: string;
  /** Options of the client that JSON can say. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The file of a CA to trust. */
  readonly authority?: string | undefined;
}
