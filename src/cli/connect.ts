import {
  connect as openSession,
  type SessionClient,
  type ConnectOptions as SessionOptions,
} from '#client/node.js';
import type { ConfigurationSources } from './configuration.js';
import { CommandFailure, exitCodes } from './failure.js';
import { sayKey, signingFor } from './signing.js';
import { mint } from './token.js';

export interface ConnectOptions {
  readonly url: string;
  readonly token?: string;
  readonly user: string;
  readonly org: string;
  readonly machine: string;
  readonly onConflict: 'takeover' | 'deny';
  readonly json?: boolean;
}

/** `soleseat connect`: a desktop program in a terminal. Ends with 77 when the seat is refused or taken. */
export async function connect(options: ConnectOptions, sources: ConfigurationSources): Promise<void> {
  const say = (event: string, sentence: string, fields: object) => {
    const time = new Date().toISOString().slice(11, 23);
    console.log(options.json ? JSON.stringify({ event, ...fields }) : `${time}  ${sentence}`);
  };
  const client = open({
    url: options.url.replace(/\/$/, '').replace(/(\/v1\/connect)?$/, '/v1/connect'),
    getToken: tokenSource(options, sources),
    machine: { id: options.machine, name: options.machine },
    onConflict: options.onConflict,
    client: { name: 'soleseat-connect', version: '0.1.0' },
  });
  const ended = new Promise<number>((resolve) => {
    client.on('welcome', (welcome) => {
      const displaced = welcome.displaced
        ? `, taken from ${welcome.displaced.machine.name ?? 'another machine'}`
        : '';
      const verb = welcome.resumed ? 'resumed' : 'granted';
      say(
        'welcome',
        `Seat ${verb} on ${options.machine}${displaced} (session ${welcome.sessionId}, epoch ${welcome.epoch})`,
        welcome,
      );
    });
    client.on('lease', (lease) =>
      say('lease', `Lease renewed, good for ${(lease.ttlMs / 1000).toFixed(1)} s`, lease),
    );
    client.on('jeopardy', (event) =>
      say('jeopardy', `The broker cannot reach Redis; ${event.graceMs / 1000} s of grace`, event),
    );
    client.on('recovered', () => say('recovered', 'The broker reaches Redis again', {}));
    client.on('reconnecting', (event) =>
      say('reconnecting', `${event.cause.message} Again in ${Math.round(event.inMs)} ms`, event),
    );
    client.on('error', (event) => {
      say('error', `${event.code}: ${event.message}`, event);
      if (event.code === 'socket_unavailable') resolve(exitCodes.unavailable);
    });
    client.on('evicted', (event) => {
      const by = event.by ? ` by ${event.by.machine.name ?? 'another machine'}` : '';
      say('evicted', `Seat lost: ${event.reason}${by} at ${new Date(event.at).toISOString()}`, event);
      resolve(exitCodes.refused);
    });
    client.on('conflict', (event) => {
      say(
        'conflict',
        `${event.holder.machine.name ?? 'Another machine'} has the seat since ${new Date(event.holder.since).toISOString()}`,
        event,
      );
      void client.release();
      resolve(exitCodes.refused);
    });
    client.on('denied', (event) => {
      say('denied', `Refused: ${event.message} (${event.reason}, ${event.code})`, event);
      resolve(exitCodes.refused);
    });
    const release = () => {
      void client.release().then(() => {
        say('released', 'Seat released', {});
        resolve(exitCodes.ok);
      });
    };
    process.once('SIGINT', release);
    process.once('SIGTERM', release);
  });
  process.exitCode = await ended;
}

function open(options: SessionOptions): SessionClient {
  try {
    return openSession(options);
  } catch {
    throw new CommandFailure(
      '--url must be like ws://127.0.0.1:8080 or wss://seats.example.com',
      exitCodes.usage,
    );
  }
}

function tokenSource(options: ConnectOptions, sources: ConfigurationSources): () => string {
  const { token, user, org } = options;
  if (token !== undefined) return () => token;
  try {
    const signing = signingFor(sources, { isAdmin: false });
    sayKey(signing, { isJson: options.json === true });
    return () => mint(signing.configuration, { user, org, expiresInSeconds: 3600 });
  } catch (error) {
    throw new CommandFailure(`no token: give --token. (${(error as Error).message})`, exitCodes.usage);
  }
}
