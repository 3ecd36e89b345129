import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, type SessionClient } from '../../packages/client/src/node.js';
import { KEEP_ALIVE } from '../../src/admin/streams.js';
import { settingsTable } from '../../src/base/settings.js';
import type { Broker } from '../../src/broker.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, startNode, tokenFor } from '../support/node.js';
import { RealProxy } from '../support/proxy.js';
import { type ProxyName, proxyKinds } from '../support/proxy-kinds.js';
import { useRedis } from '../support/redis.js';
import { casesOf } from '../support/scope.js';

const proxies: readonly ProxyName[] = ['nginx', 'haproxy', 'caddy', 'apache'];
/** More than several proxies take by default: nginx about 250, Apache 400. */
const CROWD = 600;
// Packages of Debian are fetched for them: only where all is tried.
const chosen = casesOf(proxies, () => false);

it.each(proxies.map((name) => proxyKinds[name].file))(
  '%s leads to both ports, and names settings that exist',
  (file) => {
    const text = readFileSync(new URL(`../../deploy/proxies/${file}`, import.meta.url), 'utf8');
    const { port, adminPort } = settingsTable;
    for (const { default: number } of [port, adminPort]) expect(text).toContain(`127.0.0.1:${number}`);
    const known = Object.values(settingsTable).map((one): string => one.name);
    const named = [...text.matchAll(/SOLESEAT_[A-Z_]+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  },
);

describe.each(chosen)('behind %s, with the configuration that we ship', (name) => {
  const redis = useRedis();
  let node: Broker;
  let proxy: RealProxy;
  let outside: string;
  const headers = { authorization: `Bearer ${adminTokenFor()}`, 'sec-fetch-site': 'same-origin' };
  beforeAll(async () => {
    node = await startNode(redis.url, {
      SOLESEAT_TRUSTED_PROXIES: 'loopback',
      SOLESEAT_CONSOLE_ORIGINS: 'https://desk.example.com',
    });
    await node.store.orgs.change('acme', { addresses: 'keep' }, 'test');
    proxy = await RealProxy.start(name, node.ports);
    outside = `127.0.0.1:${proxy.port}`;
  });
  afterAll(async () => {
    await proxy?.stop();
    await node?.stop();
  });

  /** On a connection of its own: one that idles may be closed under a crowd. */
  const ask = (path: string, { headers, ...more }: RequestInit = {}) =>
    fetch(`http://${outside}${path}`, { ...more, headers: { connection: 'close', ...headers } });

  function seat(user: string, told: string[]): SessionClient {
    const client = connect({
      url: `ws://${outside}/v1/connect`,
      machine: { id: `pc-${user}` },
      getToken: () => tokenFor(user),
    });
    client.on('welcome', ({ resumed }) => told.push(resumed ? 'resumed' : 'welcome'));
    for (const event of ['evicted', 'denied', 'closed'] as const) client.on(event, () => told.push(event));
    return client;
  }

  it('a program has its seat for longer than several renewals, and is told of a takeover', async () => {
    const told: string[] = [];
    const client = seat('ada', told);
    let renewals = 0;
    client.on('lease', () => renewals++);
    await eventually(() => renewals >= 5);
    expect(told).toEqual(['welcome']);
    client.disconnect();
  });

  it("a user's own page is there with all that it loads", async () => {
    const page = await ask('/me');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('html')]);
    const loaded = [...(await page.text()).matchAll(/(?:src|href)="([^":]+)"/g)].map(([, path = '']) => path);
    expect(loaded.length).toBeGreaterThan(1);
    for (const path of loaded) expect((await ask(new URL(path, page.url).pathname)).status, path).toBe(200);
  });

  it('the true address reaches the history, and a made-up one does not', async () => {
    // The client and the proxy are both in the trusted network: an address that the proxy passed on would count.
    const desktop = await Desktop.open(proxy.port, tokenFor('joan'), {
      headers: { authorization: `Bearer ${tokenFor('joan')}`, 'x-forwarded-for': '6.6.6.6' },
      localAddress: '127.0.0.2',
    });
    desktop.say({ type: 'hello', machine: { id: 'pc' } });
    await desktop.told('welcome');
    const history = async () => (await ask('/soleseat/v1/admin/orgs/acme/history/joan', { headers })).text();
    await eventually(async () => (await history()).includes('"machine"'));
    expect(/"address":"(.*?)"/.exec(await history())?.[1]).toBe('127.0.0.2');
    desktop.ws.terminate();
  });

  it('several hundred clients are connected at a time', async () => {
    const desktops = await Promise.all(
      Array.from({ length: CROWD }, (_, n) => Desktop.hello(proxy.port, `crowd-${n}`, 'pc')),
    );
    for (const desktop of desktops) await desktop.told('welcome');
    expect(desktops.filter(({ closed }) => closed !== null)).toEqual([]);
    for (const desktop of desktops) desktop.ws.terminate();
  });

  it('the console is there under its path, with all that it asks for, and signs in', async () => {
    const page = await ask('/soleseat/console', { redirect: 'manual' });
    expect(new URL(page.headers.get('location') ?? '', page.url).pathname).toBe('/soleseat/console/');
    const base = `http://${outside}/soleseat/console/`;
    const html = await (await ask('/soleseat/console/')).text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, file = '']) => new URL(file, base).pathname,
    );
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect((await ask(file)).status, file).toBe(200);
    const signIn = await ask('/soleseat/v1/admin/session', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'sec-fetch-site': 'same-origin',
        origin: `http://${outside}`,
      },
      body: JSON.stringify({ token: adminTokenFor() }),
    });
    expect(signIn.status).toBeLessThan(300);
    expect(signIn.headers.get('set-cookie')).toContain('soleseat_admin=');
  });

  it('live pictures and the progress of an import come bit by bit', async () => {
    const stream = await fetch(`http://${outside}/soleseat/v1/admin/live?org=acme`, { headers });
    const reader = stream.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('event');
    await reader?.cancel();
    const body = ['user', ...Array.from({ length: 3000 }, (_, n) => `${name}-${n}`)].join(';\n');
    const answer = await fetch(`http://${outside}/soleseat/v1/admin/orgs/acme/license-import`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'text/csv' },
      body,
    });
    const lines = (await answer.text()).trim().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.at(-1)).toContain('"done"');
  });

  it('everybody goes on, or comes back to the same session, when it reloads', async () => {
    const told: string[] = [];
    const clients = Array.from({ length: 20 }, (_, n) => seat(`reload-${n}`, told));
    await eventually(() => clients.every(({ state }) => state === 'active'));
    const sessions = clients.map(({ sessionId }) => sessionId);
    proxy.reload();
    const late = seat('after', told);
    await eventually(() => late.state === 'active' && clients.every((client) => client.holdsLease()));
    expect(clients.map(({ sessionId }) => sessionId)).toEqual(sessions);
    expect(told.filter((one) => one !== 'welcome' && one !== 'resumed')).toEqual([]);
    for (const client of [...clients, late]) client.disconnect();
  });
});

describe.each(chosen)(
  'behind %s that cuts after a second whatever is silent, but for what we ship',
  (name) => {
    const redis = useRedis();
    const { impatient, patience } = proxyKinds[name];
    let node: Broker;
    let proxy: RealProxy | undefined;
    const headers = { authorization: `Bearer ${adminTokenFor()}` };
    beforeAll(async () => {
      // The first renewal comes after half the interval: between two of them a session is silent for longer than a second.
      node = await startNode(redis.url, { SOLESEAT_LEASE_TTL_MS: '20000', SOLESEAT_RENEW_EVERY_MS: '2500' });
      await node.store.orgs.change('acme', { addresses: 'keep' }, 'test');
    });
    afterEach(() => proxy?.stop());
    afterAll(() => node?.stop());

    it('a session that has nothing to say keeps its connection', async () => {
      proxy = await RealProxy.start(name, node.ports, impatient);
      const desktop = await Desktop.hello(proxy.port, 'quiet', 'pc');
      const leases = () => desktop.received.filter(({ type }) => type === 'lease').length;
      await desktop.until(() => leases() >= 3 || desktop.closed !== null);
      expect(desktop.closed).toBe(null);
      desktop.ws.terminate();
    });

    it('a stream of events in which nothing happens stays open', async () => {
      proxy = await RealProxy.start(name, node.ports, impatient);
      const url = `http://127.0.0.1:${proxy.port}/soleseat/v1/admin/orgs/acme/events/stream`;
      const stream = await fetch(url, { headers });
      expect(stream.headers.get('content-type')).toContain('text/event-stream');
      let said = '';
      for await (const chunk of stream.body ?? []) {
        said += new TextDecoder().decode(chunk);
        if (said.split(KEEP_ALIVE).length > 2) break;
      }
      expect(said.split(KEEP_ALIVE).length).toBe(3);
    });

    if (patience === null) return;
    it('without the line that we ship for it, the session loses its connection', async () => {
      proxy = await RealProxy.start(name, node.ports, (shipped) => {
        const without = shipped.replace(patience, '');
        expect(without).not.toBe(shipped);
        return impatient(without);
      });
      const desktop = await Desktop.hello(proxy.port, 'cut', 'pc');
      await desktop.close();
      expect(desktop.received.filter(({ type }) => type === 'lease').length).toBeLessThan(2);
    });
  },
);
