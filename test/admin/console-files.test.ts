import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker;
beforeAll(async () => {
  node = await startNode(redis.url);
});
afterAll(() => node.stop());

/** As it comes over the wire: `fetch` would unzip it. */
function get(path: string, headers: Readonly<Record<string, string>> = {}) {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      request({ host: '127.0.0.1', port: node.ports.admin, path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      })
        .on('error', reject)
        .end();
    },
  );
}

describe('the files of the console', () => {
  it('come compressed to whoever takes it, and plain to others', async () => {
    const plain = await get('/console/');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.body.toString()).toContain('<!doctype html>');
    const zipped = await get('/console/', { 'accept-encoding': 'gzip, br' });
    expect(zipped.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
  });

  it('forbid what is inline, from elsewhere, or in a frame', async () => {
    const policy = String((await get('/console/')).headers['content-security-policy']);
    for (const rule of ["default-src 'self'", "frame-ancestors 'none'", "object-src 'none'"])
      expect(policy).toContain(rule);
    expect(policy).not.toContain('unsafe');
  });

  it('keep scripts for ever, as their names change with them, and the page for no time', async () => {
    const page = (await get('/console/')).body.toString();
    const script = /src="([^"]*assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '';
    expect((await get(new URL(script, 'http://host/console/').pathname)).headers['cache-control']).toContain(
      'immutable',
    );
    expect(String((await get('/console/')).headers['cache-control'])).not.toContain('immutable');
  });

  it('that are none are not found', async () => {
    expect((await get('/console/nothing.js')).status).toBe(404);
  });
});
