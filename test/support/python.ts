import { fileURLToPath } from 'node:url';
import { ClientProcess } from './client-process.js';
import { toolRecord } from './tools.js';

const root = new URL('../../', import.meta.url);

/** Starts the Python example. */
export function startPythonClient(port: number, token: string, machine: string): ClientProcess {
  // Written by the set-up of `npm test`: a Python with the `websockets` package.
  const found = toolRecord<{ readonly path: string; readonly pythonPath?: string }>('python');
  const script = fileURLToPath(new URL('examples/python_client.py', root));
  const args = [script, `ws://127.0.0.1:${port}/v1/connect`, token, machine];
  return ClientProcess.start(found.path, args, { PYTHONPATH: found.pythonPath });
}
