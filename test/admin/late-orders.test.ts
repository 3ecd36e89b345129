import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAnswer } from '../gateway/raw-socket.js';
import { ask } from '../support/admin.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, UNHURRIED } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

/** Longer than the second after which a node knows that it stood still. */
const FROZEN_MS = 1300;
const licenses = '/v1/admin/orgs/acme/licenses';

const redis = useRedis();
let node: NodeProcess;

beforeAll(async () => {
  node = await NodeProcess.start(redis.url, UNHURRIED);
  expect((await ask(node, 'POST', licenses, { body: { user: 'ada' } })).status).toBe(201);
});
afterAll(() => node.kill());

async function open(): Promise<Socket> {
  const socket = connect(node.ports.admin, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function headOf(line: string, body: string): string {
  const headers = [
    'Host: a',
    `Authorization: Bearer ${adminTokenFor()}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  return `${[`${line} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`;
}

async function answerTo(socket: Socket) {
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  await once(socket, 'close');
  return readAnswer(text);
}

const orderFor = (user: string) => {
  const body = JSON.stringify({ user });
  return { head: headOf(`POST ${licenses}`, body), body };
};
const statusOf = async (user: string) => (await ask(node, 'GET', `${licenses}/${user}`)).status;

/** Asked as often as it is answered that it came too late: on a busy machine the node may read for a while. */
async function orderAgain(user: string): Promise<number> {
  let status = 503;
  await eventually(async () => {
    ({ status } = await ask(node, 'POST', licenses, { body: { user } }));
    return status !== 503;
  });
  return status;
}

describe('an order that lay in the socket of a frozen node', () => {
  it.each([
    ['an open connection', true],
    ['a connection in the backlog', false],
  ])('does nothing when its caller has given up (%s)', async (how, isOpen) => {
    const user = `gone-${isOpen}`;
    const { head, body } = orderFor(user);
    const before = await open();
    // The node has read from it: it is no longer in the backlog.
    const probe = answerTo(before);
    before.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(before, 'data');
    await node.freeze();
    const socket = isOpen ? before : await open();
    socket.write(head + body, () => socket.destroy());
    await once(socket, 'close');
    before.destroy();
    await node.thaw(FROZEN_MS);
    expect((await probe).status, how).toBe(200);
    expect(await statusOf(user)).toBe(404);
    expect(await orderAgain(user)).toBe(201);
  });

  it.each([
    ['whole', 0],
    ['with its head read before', 1],
  ])('is answered 503 when its caller still waits (%s), and done when asked again', async (how, isSplit) => {
    const user = `patient-${isSplit}`;
    const { head, body } = orderFor(user);
    const socket = await open();
    const answer = answerTo(socket);
    if (isSplit === 1) {
      socket.write(head);
      // Whoever asked later has been answered: the head has been read.
      await ask(node, 'GET', '/livez');
    }
    await node.freeze();
    socket.write(isSplit === 1 ? body : head + body);
    await node.thaw(FROZEN_MS);
    const { status, headers, text } = await answer;
    expect([how, status, headers.get('content-type')]).toEqual([
      how,
      503,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(text).toContain('"code":"late"');
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await statusOf(user)).toBe(404);
    expect(await orderAgain(user)).toBe(201);
  });

  it('and only asks is answered', async () => {
    const socket = await open();
    const answer = answerTo(socket);
    const question = await open();
    const answerToQuestion = answerTo(question);
    await node.freeze();
    socket.write(headOf(`GET ${licenses}/ada`, ''));
    const body = JSON.stringify({ org: 'acme', user: 'ada', sessionId: 's', epoch: 1 });
    question.write(headOf('POST /v1/introspect', body) + body);
    await node.thaw(FROZEN_MS);
    expect((await answer).status).toBe(200);
    const { status, text } = await answerToQuestion;
    expect([status, text.includes('{"active":false}')]).toEqual([200, true]);
  });
});
