import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
let node: Broker | null = null;
const desktops: Desktop[] = [];
afterEach(async () => {
  for (const desktop of desktops.splice(0)) desktop.ws.terminate();
  await node?.stop();
  node = null;
});

async function dial(forwardedFor: string | null, user: string): Promise<number | 'open'> {
  const headers = {
    authorization: `Bearer ${tokenFor(user)}`,
    ...(forwardedFor !== null && { 'x-forwarded-for': forwardedFor }),
  };
  const opening = Desktop.open(node?.ports.public ?? 0, null, { headers });
  const desktop = await opening.catch((error: Error) => Number(/\d{3}$/.exec(error.message)?.[0]));
  if (typeof desktop === 'number') return desktop;
  desktops.push(desktop);
  desktop.say({ type: 'hello', machine: { id: 'pc' } });
  await desktop.told('welcome');
  return 'open';
}

describe('behind a trusted proxy', () => {
  it('each true address has limits of its own, and the history knows it', async () => {
    node = await startNode(redis.url, {
      SOLESEAT_TRUSTED_PROXIES: '127.0.0.0/8',
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '2',
    });
    await node.store.orgs.change('acme', { addresses: 'keep' }, 'test');
    expect(await dial('192.0.2.1', 'a')).toBe('open');
    expect(await dial('192.0.2.1', 'b')).toBe('open');
    expect(await dial('192.0.2.1', 'c')).toBe(429);
    expect(await dial('6.6.6.6, 192.0.2.1', 'c')).toBe(429);
    expect(await dial('192.0.2.2', 'c')).toBe('open');
    const path = `http://127.0.0.1:${node.ports.admin}/v1/admin/orgs/acme/history/c`;
    const headers = { authorization: `Bearer ${adminTokenFor()}` };
    await eventually(async () => (await (await fetch(path, { headers })).text()).includes('192.0.2.2'));
  });

  it('a header of somebody who is no trusted proxy counts for nothing', async () => {
    node = await startNode(redis.url, {
      SOLESEAT_TRUSTED_PROXIES: '10.0.0.0/8',
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '1',
    });
    expect(await dial('192.0.2.1', 'a')).toBe('open');
    expect(await dial('192.0.2.2', 'b')).toBe(429);
  });
});

describe('a page in a browser', () => {
  const origin = 'https://app.example.com';
  const askFor = (path: string, init: RequestInit) =>
    fetch(`http://127.0.0.1:${node?.ports.public}${path}`, init);

  it('of a listed origin may ask who has the seat; of another one it may not read the answer', async () => {
    node = await startNode(redis.url, { SOLESEAT_ORIGINS: 'https://App.example.com:443/' });
    const before = await askFor('/v1/session', {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(before.status).toBe(204);
    expect(before.headers.get('access-control-allow-origin')).toBe(origin);
    expect(before.headers.get('access-control-allow-headers')).toBe('Authorization');
    const authorization = `Bearer ${tokenFor('ada')}`;
    const answer = await askFor('/v1/session', { headers: { origin, authorization } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    const refused = await askFor('/v1/session', { headers: { origin } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
    const foreign = await askFor('/v1/session', {
      headers: { origin: 'https://evil.example', authorization },
    });
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
    expect(foreign.headers.get('vary')).toContain('Origin');
  });

  it('of the broker’s own host may connect without being listed', async () => {
    node = await startNode(redis.url);
    const own = `http://127.0.0.1:${node.ports.public}`;
    const desktop = await Desktop.open(node.ports.public, tokenFor('ada'), { origin: own });
    desktops.push(desktop);
    await expect(
      Desktop.open(node.ports.public, tokenFor('ada'), { origin: 'http://127.0.0.1:1' }),
    ).rejects.toThrow('403');
  });
});
