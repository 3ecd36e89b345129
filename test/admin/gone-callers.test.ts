import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();

it('callers that are gone before they are answered are no defect', async () => {
  const node = await NodeProcess.start(redis.url);
  let closed = 0;
  // Stopped, the node finds in its sockets those whose callers have gone.
  await node.freeze();
  for (let n = 0; n < 50; n++) {
    const socket = connect(node.ports.admin, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => closed++);
    const head = ['GET /v1/admin/orgs HTTP/1.1', 'Host: a', 'Authorization: Bearer a.b.c'];
    socket.write(`${head.join('\r\n')}\r\n\r\n`, () => socket.resetAndDestroy());
  }
  await eventually(() => closed === 50);
  await node.thaw(0);
  expect(await node.readiness()).toBe(200);
  await node.stop();
  expect(node.lines.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
});
