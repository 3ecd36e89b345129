import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { Desktop } from './desktop.js';
import type { NodeProcess } from './node-process.js';
import { storeOn } from './store.js';

/** The nodes of a group and beside it that beat. */
export async function liveNodes(redis: Redis, { ports }: Pick<NodeProcess, 'ports'>) {
  // Workers of a group before this one count as live for a while.
  const isOwn = (address = '') => address.endsWith(`:${ports.public}`);
  return (await storeOn(redis).nodes.list()).filter(
    ({ isLive, publicAddress }) => isLive && isOwn(publicAddress),
  );
}

/** The process ids of its workers. */
export function workersOf(node: Pick<NodeProcess, 'child'>): number[] {
  const { pid } = node.child;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').map(Number);
}

export function seatMany(node: Pick<NodeProcess, 'ports'>, count: number, name = 'user'): Promise<Desktop[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const desktop = await Desktop.hello(node.ports.public, `${name}-${i}`, 'pc');
      await desktop.told('welcome');
      return desktop;
    }),
  );
}
