import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ClientProcess } from './client-process.js';

const root = new URL('../../', import.meta.url);
const source = fileURLToPath(new URL('examples/java/SeatClient.java', root));

/** Starts the Java example from its source. */
export function startJavaClient(port: number, token: string, machine: string): ClientProcess {
  // Written by the set-up of `npm test`: a JDK that runs a program from its source.
  const { path } = JSON.parse(readFileSync(new URL('.soleseat/java.json', root), 'utf8')) as { path: string };
  return ClientProcess.start(path, [source, `ws://127.0.0.1:${port}/v1/connect`, token, machine]);
}
