import { connect } from 'node:net';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import type { FuzzCase, Outcome } from './case.js';

/** An answer has ended where nothing more came for so long. */
const QUIET_MS = 100;
/** A stream has no end. */
const LONGEST_MS = 1000;
/** Half a request has no answer, but each good handshake has one, also on a busy machine. */
const PATIENCE_MS = { frames: 20_000, messages: 20_000, http: 5000 } as const;
const KEPT_BYTES = 256 * 1024;

/** Writes an input to a new connection, and gives what came back until the broker closed it or fell silent. Never rejects. */
export async function attack({ kind, writes }: FuzzCase, port: number): Promise<Outcome> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let [isConnected, keptBytes, heardAtMs] = [false, 0, performance.now()];
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('connect', () => {
    isConnected = true;
  });
  socket.on('data', (bytes) => {
    heardAtMs = performance.now();
    keptBytes += bytes.length;
    if (keptBytes < KEPT_BYTES) chunks.push(bytes);
  });
  // Not `once`, which rejects at an error.
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  for (const bytes of writes) {
    if (socket.writable) socket.write(bytes);
    await turn();
  }
  const startedMs = performance.now();
  heardAtMs = startedMs;
  const isOver = () => {
    const nowMs = performance.now();
    if (chunks.length === 0) return nowMs - startedMs > PATIENCE_MS[kind];
    return nowMs - startedMs > LONGEST_MS || nowMs - heardAtMs > QUIET_MS;
  };
  while (!socket.destroyed && !isOver()) await Promise.race([closed, pause(QUIET_MS / 4)]);
  socket.destroy();
  await closed;
  return { received: Buffer.concat(chunks), isConnected };
}
