import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { adminTokenFor, startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';
import { exchange, handshake, RawPeer } from './raw-socket.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node.stop());

/** What each port is asked, with headers more; the public one is asked for the user's own seat. */
const asked = [
  ['admin', '/v1/admin/orgs', adminTokenFor()],
  ['admin', '/livez', ''],
  ['admin', '/nowhere', ''],
  ['public', '/v1/session', tokenFor('ada')],
] as const;

async function statuses(lines: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  for (const [port, path, token] of asked) {
    const head = [`GET ${path} HTTP/1.1`, ...lines, 'Connection: close', `Authorization: Bearer ${token}`];
    found.push((await exchange(node.ports[port], `${head.join('\r\n')}\r\n\r\n`)).status);
  }
  const peer = await RawPeer.open(
    node.ports.public,
    null,
    handshake(['Host'], [...lines, `Authorization: Bearer ${tokenFor('ada')}`]),
  );
  peer.socket.destroy();
  return [...found, peer.status];
}

describe('a Host', () => {
  it.each([
    '[',
    ']',
    '[]',
    '[::1',
    '::1]',
    '[::1]]',
    '[::g]',
    '[1.2.3.4]',
    '[::1]x',
    '[::1]:x',
    '[v1.a]',
    'a:b',
    'a:b:c',
    '::1',
    'a:99999',
    'a:-1',
    'a:1e3',
    '@',
    'user@a',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    'a b',
    'a\tb',
    '%',
    '%zz',
    'a%2',
    '<a>',
    '"a"',
    '{a}',
    'a|b',
    'a^b',
    '`a`',
    'http://a',
    '\u00ff',
    '\u00e2\u0080\u00a8',
  ])('that is %j is refused with 400 on both ports', async (host) => {
    expect(await statuses([`Host: ${host}`])).toEqual([400, 400, 400, 400, 400]);
  });

  it.each(['a', 'a:', 'a:80', 'A_b-c', '127.0.0.1', '[::1]', '[::1]:9090', 'localhost.:1'])(
    'that is %j is well',
    async (host) => {
      expect(await statuses([`Host: ${host}`])).toEqual([200, 200, 404, 200, 101]);
    },
  );

  it.each([
    [['Host: a', 'Host: b']],
    [['Host: a', 'Host: a']],
    [['Host: a', 'hOST: a']],
    [['Host: a', 'X: y', 'Host:']],
    [['Host:', 'Host: a']],
    [['Host: a', 'Host: a', 'Host: a']],
  ])('named more than once, as in %j, is refused with 400 on both ports', async (lines) => {
    expect(await statuses(lines)).toEqual([400, 400, 400, 400, 400]);
  });
});
