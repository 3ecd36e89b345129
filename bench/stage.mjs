import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRedis } from '../dist/embedded/redis-process.js';
import { startClientProcess } from './client-process.mjs';
import { kinds } from './nodes.mjs';

/**
 * For each kind a Redis of its own, `nodes` fresh nodes, and `clients` processes of clients: both kinds stand
 * side by side, so that they can be measured in turn while the machine is in the same mood.
 */
export async function withStage({ binary, folder, nodes, clients }, use) {
  const stops = [];
  const logs = [];
  const stage = {};
  try {
    for (const kind of Object.keys(kinds)) {
      const redis = await startRedis({ binary });
      stops.push(() => redis.stop());
      const secret = randomBytes(32).toString('base64url');
      stage[kind] = { nodes: [], clients: [] };
      for (let index = 0; index < nodes; index++) {
        const logFile = join(folder, `${kind}-${index}-${randomBytes(4).toString('hex')}.log`);
        logs.push([`${kind} node ${index + 1}`, logFile]);
        const node = await kinds[kind]({ redisUrl: redis.url, secret, logFile });
        stops.push(node.kill);
        stage[kind].nodes.push(node);
      }
      const failure = `the load on the ${kind} node failed: `;
      for (let index = 0; index < clients; index++)
        stage[kind].clients.push(startClientProcess('load.mjs', { secret, stops, failure }));
    }
    return await use(stage);
  } catch (error) {
    throw new Error(`${error.message}\n${lastWords(logs)}`.trimEnd());
  } finally {
    await Promise.all(stops.reverse().map((stop) => stop()));
  }
}

/** What the nodes said last, but for the lines that every session brings. */
function lastWords(logs) {
  const lines = logs.flatMap(([name, file]) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.includes('"level":30'))
      .slice(-5)
      .map((line) => `${name}: ${line}`),
  );
  return lines.join('\n');
}
