import { fork } from 'node:child_process';
import { join } from 'node:path';
import { endWithParent } from '../dist/embedded/child-process.js';
import { answerOf, killChild, plainEnvironment } from './nodes.mjs';

/** A process of clients, which ends with `stops`; each call is one order, and gives its result. */
export function startClientProcess(file, { secret, stops, failure = '', patienceMs = () => undefined }) {
  const child = fork(join(import.meta.dirname, file), {
    env: plainEnvironment(),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  endWithParent(child);
  stops.push(() => killChild(child));
  let orders = 0;
  return async (action, order = {}) => {
    const id = ++orders;
    child.send({ id, action, secret, ...order });
    const fits = (message) => message.id === id;
    const { result, error } = await answerOf(child, fits, 'a client process', patienceMs(action));
    if (error !== undefined) throw new Error(failure + error);
    return result;
  };
}
