/** Programs of a person who has installed the packages and read their README. Each takes a seat, says so and gives it back. */

const options = (machine: string, url: string, token: string) =>
  `{ url: ${url}, getToken: () => ${token}, machine: { id: '${machine}', name: '${machine}' } }`;

const fromEnvironment = (machine: string) =>
  options(machine, 'process.env.SEAT_URL', 'process.env.SEAT_TOKEN');

const story = `
  seat.on('denied', ({ message }) => { throw new Error(message); });
  seat.on('welcome', async ({ sessionId }) => {
    await seat.release();
    say('seat ' + sessionId + ' ' + seat.state);
  });`;

export const nodePrograms = {
  'an ES module': {
    file: 'program.mjs',
    text: `import { connect } from '@soleseat/client';
import { machineId } from '@soleseat/client/machine-id';
import { brokerProof } from '@soleseat/client/ticket';
if (brokerProof({ keys: [] }).nonce().length !== 32) throw new Error('no nonce');
const say = console.log;
const { id } = await machineId({ application: 'example' });
if (!/^[0-9a-f]{32}$/.test(id)) throw new Error(id);
const seat = connect(${fromEnvironment('m-esm')});${story}`,
  },
  'a CommonJS module': {
    file: 'program.cjs',
    text: `const { connect } = require('@soleseat/client');
require('@soleseat/client/machine-id');
if (typeof require('@soleseat/client/ticket').lookAtLeave !== 'function') throw new Error('no tickets');
const { isFinal } = require('@soleseat/client/protocol');
if (!isFinal(4509)) throw new Error('no table');
const say = console.log;
const seat = connect(${fromEnvironment('m-cjs')});${story}`,
  },
  'a worker thread': {
    file: 'thread.mjs',
    text: `import { isMainThread, Worker } from 'node:worker_threads';
if (isMainThread) new Worker(new URL(import.meta.url));
else {
  const { connect } = await import('@soleseat/client');
  const say = console.log;
  const seat = connect(${fromEnvironment('m-thread')});${story}
}`,
  },
  'the older name soleseat/client': {
    file: 'older.mjs',
    text: `import { connect } from 'soleseat/client';
import 'soleseat/client/machine-id';
const say = console.log;
const seat = connect(${fromEnvironment('m-older')});${story}`,
  },
} as const;

/** A page, and a web worker of the page: their address is \`?url=…&token=…\`, which no real program should copy. */
const inBrowser = (machine: string) =>
  `import { connect } from '@soleseat/client';
const asked = new URLSearchParams(location.search);
const seat = connect(${options(machine, "asked.get('url')", "asked.get('token')")});${story}`;

export const browserFiles = {
  'index.html':
    '<!doctype html><meta charset="utf-8"><title>-</title><script type="module" src="./page.js"></script>',
  'page.js': `const say = (line) => { document.title = line; };\n${inBrowser('m-page')}`,
  'worker.js': `const say = (line) => postMessage(line);\n${inBrowser('m-worker')}`,
  'with-worker.html':
    '<!doctype html><meta charset="utf-8"><title>-</title><script type="module" src="./with-worker.js"></script>',
  'with-worker.js': `const worker = new Worker(new URL('./worker.js' + location.search, location.href), { type: 'module' });
worker.onmessage = ({ data }) => { document.title = data; };
worker.onerror = ({ message }) => { document.title = 'error ' + message; };`,
} as const;

/** What a program in TypeScript would use of it. Each line must have its type, and a wrong one must be refused. */
export const typedProgram = `import { connect, type ClientState, type SessionClient } from '@soleseat/client';
import { machineId, type MachineIdentity } from '@soleseat/client/machine-id';
import { closeCodes, type ServerMessage } from '@soleseat/client/protocol';

export async function open(): Promise<SessionClient> {
  const machine: MachineIdentity = await machineId({ application: 'example' });
  const seat = connect({ url: 'wss://seats.example.com', getToken: async (need) => need.toUpperCase(), machine });
  seat.on('evicted', ({ reason, by }) => console.log(reason.length, by?.machine.name?.length));
  const state: ClientState = seat.state;
  // @ts-expect-error: there is no such event.
  seat.on('nothing', () => {});
  // @ts-expect-error: a token has to come from somewhere.
  connect({ url: 'wss://seats.example.com', machine });
  console.log(state, closeCodes.map(({ meaning }) => meaning.length));
  return seat;
}
export type Message = ServerMessage;
`;
