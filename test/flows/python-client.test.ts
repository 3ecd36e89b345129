import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Relay } from '../../chaos/relay.js';
import { Desktop } from '../support/desktop.js';
import { startNode, tokenFor } from '../support/node.js';
import { startPythonClient } from '../support/python.js';
import { testRedis } from '../support/redis.js';

const example = new URL('../../examples/python_client.py', import.meta.url);
const isMessage = (type: string) => (line: string) => line.includes(`"type":"${type}"`);

it('a client of under 60 lines, written from PROTOCOL.md in another language, is granted, evicted and released', async () => {
  expect(readFileSync(example, 'utf8').trimEnd().split('\n').length).toBeLessThan(60);
  const redis = await testRedis();
  const node = await startNode(redis.url);
  const { public: port } = node.ports;
  const loser = startPythonClient(port, tokenFor('py'), 'workstation');
  await loser.printed(isMessage('lease'));
  expect(loser.holds).toBe(true);
  await (await Desktop.hello(port, 'py', 'laptop')).told('welcome');
  expect(await loser.ended()).toBe(3);
  const [evicted = '', holds] = loser.lines.slice(-2);
  expect(JSON.parse(evicted)).toMatchObject({
    type: 'evicted',
    reason: 'taken_over',
    by: { machine: { name: 'laptop' } },
  });
  expect(holds).toBe('holds false');

  const other = startPythonClient(port, tokenFor('other'), 'workstation');
  await other.printed(isMessage('welcome'));
  other.write('release\n');
  expect(await other.ended()).toBe(0);
  await node.stop();
  await redis.stop();
});

it('the client in Python resumes its session after its connection broke', async () => {
  const redis = await testRedis();
  const [first, second] = [await startNode(redis.url), await startNode(redis.url)];
  const relay = await Relay.start({ target: () => target.ports.public });
  let target = first;
  const client = startPythonClient(relay.port, tokenFor('py'), 'workstation');
  await client.printed(isMessage('lease'));
  target = second;
  relay.cut({ refuses: false });
  await client.printed((line) => isMessage('welcome')(line) && line.includes('"resumed":true'));
  expect(client.lines.filter((line) => line === 'holds false')).toEqual([]);
  await client.kill();
  relay.stop();
  await first.stop();
  await second.stop();
  await redis.stop();
});
