import { delimiter, dirname, join } from 'node:path';
import { root, run } from './steps.mjs';

/** Runs the tests under a given Node, which is also the one that the tests start. `more` is added to the environment. */
export function runVitest(args, node = process.execPath, more = {}) {
  const env = { ...more, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  return run(node, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args], { env, show: true });
}
