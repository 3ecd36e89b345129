import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRoutes } from '../../src/admin/routes/index.js';
import type { Broker } from '../../src/broker.js';
import { exchange, type HttpAnswer, handshake } from '../gateway/raw-socket.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, startNode, tokenFor, UNHURRIED } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url, UNHURRIED);
  await (await Desktop.hello(node.ports.public, 'ada', 'desk')).told('welcome');
  await ask(node, 'POST', '/v1/admin/orgs/acme/licenses', { body: { user: 'ada' } });
});
afterAll(() => node.stop());

async function headAndGet(port: number, path: string, token: string, accept = '*/*') {
  const request = (method: string, more = '') =>
    `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: ${accept}\r\nAuthorization: Bearer ${token}\r\n${more}\r\n`;
  // What endless answers begin with, taken as a whole.
  const isEndless = /\/(stream|live)$/.test(path);
  const head = await exchange(port, request('HEAD'));
  const get = isEndless ? null : await exchange(port, request('GET'));
  return { head, get };
}

/** Headers that tell of the answer, and not of the moment or of how its body is cut. */
function headersOf({ headers }: HttpAnswer): Record<string, string> {
  const { date: _, 'transfer-encoding': __, ...told } = Object.fromEntries(headers);
  return told;
}

const bodyOf = ({ text }: HttpAnswer) => text.slice(text.indexOf('\r\n\r\n') + 4);

const filled: Readonly<Record<string, string>> = { org: 'acme', user: 'ada' };
const adminPaths = [
  ...allRoutes
    .filter(({ method }) => method === 'GET')
    .map(({ path }) => path.replaceAll(/\{(\w+)\}/g, (_, name) => filled[name] ?? 'none')),
  ...[
    '/livez',
    '/readyz',
    '/console',
    '/console/',
    '/console/index.html',
    '/console/icon.svg',
    '/console/a/b',
  ],
  ...['/nowhere', '/', '/v1/admin/orgs?limit=x', '/v1/admin/orgs/none', '/console/none.txt'],
];

describe('HEAD is answered as GET, without the body:', () => {
  it.each(adminPaths)('%s at the admin port', async (path) => {
    // What an answer tells may change between the two.
    const lengthOf = (answer: HttpAnswer | null) => answer?.headers.get('content-length');
    const both = await eventually(`HEAD and GET of one moment: ${path}`, async () => {
      const { head, get } = await headAndGet(node.ports.admin, path, adminTokenFor());
      return get === null || lengthOf(head) === lengthOf(get) ? { head, get } : undefined;
    });
    const { head, get } = both as NonNullable<typeof both>;
    expect([bodyOf(head), head.status === 405]).toEqual(['', false]);
    if (get !== null) {
      expect([head.status, headersOf(head)]).toEqual([get.status, headersOf(get)]);
      expect(bodyOf(get).length).toBe(Number(head.headers.get('content-length') ?? bodyOf(get).length));
    } else expect(head.status).toBe(200);
  });

  it('metrics, and usage as CSV', async () => {
    for (const [path, type] of [
      ['/metrics', 'text/plain'],
      ['/v1/admin/orgs/acme/usage', 'text/csv'],
    ] as const) {
      const { head } = await headAndGet(node.ports.admin, path, adminTokenFor(), type);
      expect([head.status, bodyOf(head)]).toEqual([200, '']);
      expect(head.headers.get('content-type')).toContain(type);
    }
  });

  it('what needs a token, without one', async () => {
    const { head, get } = await headAndGet(node.ports.admin, '/v1/admin/orgs', 'none');
    expect([head.status, headersOf(head), bodyOf(head)]).toEqual([401, headersOf(get as HttpAnswer), '']);
  });

  it.each(['/v1/session', '/v1/connect', '/nowhere', '/', '/v1/session?token=a'])(
    '%s at the public port',
    async (path) => {
      for (const token of [tokenFor('ada'), 'none']) {
        const { head, get } = await headAndGet(node.ports.public, path, token);
        expect([head.status, headersOf(head), bodyOf(head)]).toEqual([
          get?.status,
          headersOf(get as HttpAnswer),
          '',
        ]);
      }
    },
  );

  it('an offer of a WebSocket', async () => {
    const head = await exchange(node.ports.public, handshake().replace('GET', 'HEAD'));
    expect([head.status, bodyOf(head)]).toEqual([426, '']);
  });

  it('and opens no stream for it: a hundred leave room for one that is read', async () => {
    for (let i = 0; i < 100; i++) {
      const { head } = await headAndGet(
        node.ports.admin,
        '/v1/admin/orgs/acme/events/stream',
        adminTokenFor(),
      );
      expect(head.status).toBe(200);
    }
    expect((await ask(node, 'GET', '/v1/admin/orgs/acme/license-export')).status).toBe(200);
  });
});

describe('a method that is not served', () => {
  it.each(['/livez', '/console', '/console/', '/v1/admin/orgs'])('is 405 at %s', async (path) => {
    for (const method of ['DELETE', 'OPTIONS', 'PUT', 'TRACE', 'PROPFIND']) {
      const answer = await exchange(
        node.ports.admin,
        `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
      );
      expect([answer.status, answer.headers.get('allow')?.startsWith('GET, HEAD')]).toEqual([405, true]);
    }
  });
});
