import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { newSecret } from '../../src/outbox/message.js';
import { Sender } from '../../src/outbox/sender.js';
import type { Webhook } from '../../src/store/webhooks.js';

const NOW_MS = Date.UTC(2027, 0, 31, 12);
const webhookAt = (url: string): Webhook => ({
  ...{ id: 'w1', url, description: '', types: null, orgs: null, state: 'active', reason: null },
  secrets: [{ secret: newSecret(), untilMs: null }],
  createdAtMs: 0,
});

/** What comes of a message to a receiver that writes these bytes, or closes the connection. */
async function sendTo(reply: string | null) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => (reply === null ? socket.destroy() : socket.write(reply)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const sender = new Sender({ allowPrivate: true, wallMs: () => NOW_MS, timeoutMs: 1_000 });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    return await sender.send(webhookAt(url), { id: 'a', body: '{}' });
  } finally {
    sender.close();
    server.close();
  }
}
const answer = (status: string, ...headers: string[]) =>
  `${[`HTTP/1.1 ${status}`, 'Content-Length: 0', ...headers].join('\r\n')}\r\n\r\n`;

it.each([
  [
    'a change of protocol',
    'HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    'the connection was closed',
  ],
  ['no HTTP', 'hello\r\n\r\n', 'the answer is no HTTP'],
  ['a header without an end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, 'the answer is no HTTP'],
  ['a body without an end', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc', 'no answer within 1 s'],
  ['nothing', '', 'no answer within 1 s'],
  ['a close', null, 'the connection was closed'],
  [
    'a redirect',
    answer('302 Found', 'Location: http://127.0.0.1:9/'),
    'HTTP 302: redirects are not followed',
  ],
])('tells in words what is wrong with a receiver that answers with %s', async (_, reply, words) => {
  const outcome = await sendTo(reply);
  expect(outcome).toMatchObject({ outcome: 'failed', isGone: false, error: expect.stringContaining(words) });
});

it.each([
  ['30', 30_000],
  ['Sun, 31 Jan 2027 12:00:20 GMT', 20_000],
  ['999999', 3_600_000],
  ['Wed, 21 Oct 2099 07:28:00 GMT', 3_600_000],
  ['Sun, 31 Jan 2027 11:00:00 GMT', null],
  ['-5', null],
  ['soon', null],
])('waits as Retry-After says, an hour at most: %s', async (wish, retryAfterMs) => {
  const outcome = await sendTo(answer('503 Service Unavailable', `Retry-After: ${wish}`));
  expect(outcome).toMatchObject({ outcome: 'failed', error: 'HTTP 503', retryAfterMs });
});

it('judges a name by the addresses that it has', async () => {
  const sender = new Sender({ allowPrivate: false, wallMs: () => NOW_MS });
  const outcome = await sender.send(webhookAt('http://localhost:9/'), { id: 'a', body: '{}' });
  expect(outcome).toMatchObject({ outcome: 'failed', error: expect.stringContaining('no public address') });
});
