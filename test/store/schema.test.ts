import { expect, it } from 'vitest';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, startProblem } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
const KEY = 'soleseat:schema';

it('a node writes the version of the data, also after a loss of all', async () => {
  const node = await startNode(redis.url);
  expect(await redis.client.get(KEY)).toBe('0.2');
  await (await Desktop.hello(node.ports.public, 'ada', 'pc')).told('welcome');
  await eventually(async () => (await redis.client.zcard('soleseat:nodes')) === 1);
  await redis.client.flushall();
  await eventually(async () => (await redis.client.get(KEY)) === '0.2');
  await node.stop();
});

it.each(['0.1', '0.2', '0.9'])(
  'a node starts on data of version %s, and never writes a lower one',
  async (version) => {
    await redis.client.set(KEY, version);
    const node = await startNode(redis.url);
    expect(await redis.client.get(KEY)).toBe(version === '0.9' ? '0.9' : '0.2');
    await node.stop();
  },
);

it.each([
  ['1.0', 'start a newer Soleseat'],
  ['12.3', 'start a newer Soleseat'],
  ['nonsense', 'holds no version'],
])('a node does not start on data of version %s, says why, and changes nothing', async (version, words) => {
  await redis.client.set(KEY, version);
  expect(await startProblem(redis.url)).toContain(words);
  expect(await redis.client.get(KEY)).toBe(version);
});
