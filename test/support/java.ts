import { fileURLToPath } from 'node:url';
import { ClientProcess } from './client-process.js';
import { toolRecord } from './tools.js';

const root = new URL('../../', import.meta.url);
const source = fileURLToPath(new URL('examples/java/SeatClient.java', root));

/** Starts the Java example from its source. */
export function startJavaClient(port: number, token: string, machine: string): ClientProcess {
  // Written by the set-up of `npm test`: a JDK that runs a program from its source.
  const { path } = toolRecord<{ path: string }>('java');
  return ClientProcess.start(path, [source, `ws://127.0.0.1:${port}/v1/connect`, token, machine]);
}
