import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url, {
    SOLESEAT_CONSOLE_ORIGINS: 'https://desk.example.com,https://other.example:8443',
  });
});
afterAll(() => node.stop());

interface Answer {
  readonly status: number;
  readonly body: string;
}

function ask(method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  const cookie = `soleseat_admin=${adminTokenFor()}`;
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: node.ports.admin, path, method };
    const sent = request(
      { ...options, headers: { cookie, 'content-type': 'application/json', ...headers } },
      (got) => {
        let body = '';
        got.on('data', (text) => {
          body += text;
        });
        got.on('end', () => resolve({ status: got.statusCode ?? 0, body }));
      },
    );
    sent.on('error', reject);
    sent.end(method === 'GET' ? undefined : '{}');
  });
}

const orgs = '/v1/admin/orgs';
const change = '/v1/admin/orgs/acme';

describe('the name by which the admin port is reached', () => {
  it.each([
    '127.0.0.1',
    '192.0.2.7:9090',
    '[::1]:9090',
    'localhost:9090',
    'broker',
    'broker:9090',
    'desk.example.com',
    'DESK.example.com:443',
    'desk.example.com:9090',
    'other.example:8443',
  ])('%s is well', async (host) => {
    expect((await ask('GET', orgs, { host })).status).toBe(200);
  });

  it.each(['evil.example', 'desk.example.com.evil.example', 'localhost.evil.example', '127.0.0.1.nip.io'])(
    '%s is somebody else’s',
    async (host) => {
      const { status, body } = await ask('GET', orgs, { host });
      expect([status, JSON.parse(body).code]).toEqual([421, 'unknown_host']);
      expect((await ask('GET', '/console/', { host })).status).toBe(421);
      // Probes and scrapes come by names of their own network.
      expect((await ask('GET', '/livez', { host })).status).toBe(200);
    },
  );
});

describe('a write from a browser', () => {
  it.each([
    [
      'of a page of the same origin, whatever the proxy made of the name',
      { 'sec-fetch-site': 'same-origin', origin: 'https://seats.internal:8444', host: 'localhost:9090' },
    ],
    ['of a listed origin', { 'sec-fetch-site': 'cross-site', origin: 'https://desk.example.com' }],
    ['of an old one, from a listed origin', { origin: 'https://other.example:8443' }],
    ['that a person typed', { 'sec-fetch-site': 'none' }],
    ['that is a program', {}],
    ['with another scheme beside the cookie', { authorization: 'Basic YTpi' }],
  ])('%s is let in', async (_, headers) => {
    expect((await ask('PATCH', change, headers as Record<string, string>)).status).toBe(200);
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a sister of this site', { 'sec-fetch-site': 'same-site', origin: 'https://evil.example.com' }],
    [
      'an old one that names the host as its origin',
      { origin: 'http://localhost:9090', host: 'localhost:9090' },
    ],
    ['a page without an origin', { origin: 'null' }],
    ['a name that begins alike', { origin: 'https://desk.example.com.evil.example' }],
  ])('%s is refused, and told what was seen', async (_, headers) => {
    const { status, body } = await ask('PATCH', change, headers as Record<string, string>);
    expect([status, JSON.parse(body).code]).toEqual([403, 'foreign_origin']);
    expect(body).toContain(headers.origin);
    expect(body).toContain('SOLESEAT_CONSOLE_ORIGINS');
  });
});
