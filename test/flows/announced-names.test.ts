import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { certificate } from '../support/certificate.js';
import { Crowd } from '../support/crowd.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { ask, serverAt, testCluster, testSentinels } from '../support/redis-topology.js';
import { Scrape } from '../support/scrape.js';

const NAME = 'localhost';
const orgs = Array.from({ length: 12 }, (_, i) => `org-${i}`);
const folder = mkdtempSync(join(tmpdir(), 'soleseat-names-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Files for TLS between servers, and with their clients: a certificate of a private authority. */
function tlsFiles(isNamedOnly: boolean) {
  const authority = certificate({ isAuthority: true });
  const own = certificate({ by: authority, hosts: [NAME], isNamedOnly });
  const file = (name: string, text: string) => {
    const path = join(folder, `${name}-${isNamedOnly}.pem`);
    writeFileSync(path, text);
    return path;
  };
  return { cert: file('cert', own.cert), key: file('key', own.key), ca: file('ca', authority.cert) };
}

/** REDIS_URL and what goes with it for a node that is a client of servers with these files. */
const tlsSettings = ({ cert, key, ca }: ReturnType<typeof tlsFiles>) => ({
  SOLESEAT_REDIS_TLS_CA: ca,
  SOLESEAT_REDIS_TLS_CERT: cert,
  SOLESEAT_REDIS_TLS_KEY: key,
});

/** The addresses of all servers of Redis that the metrics name, and whether they are up. */
async function named({ ports }: Pick<Broker, 'ports'>): Promise<string[]> {
  const { page } = await Scrape.of(ports.admin);
  const lines = page.matchAll(/^soleseat_redis_server_up\{address="(.*?)".*?\} ([01])$/gm);
  return [...lines].map(([, address, isUp]) => `${address} ${isUp === '1' ? 'up' : 'down'}`).sort();
}

const tlsPortsIn = (url: string) => [...url.matchAll(/:(\d+)/g)].map(([, port]) => Number(port));

describe('a cluster that announces a host name, under TLS', () => {
  it('is found by addresses; each server has one name in the metrics, also when its master was killed', async () => {
    const tls = tlsFiles(false);
    const redis = await testCluster({ hostname: NAME, tls });
    const node = await NodeProcess.start(redis.url, {
      ...tlsSettings(tls),
      SOLESEAT_METRICS_EVERY_MS: '100',
    });
    const ports = tlsPortsIn(redis.url);
    const all = ports.map((port) => `${NAME}:${port} up`).sort();
    expect(all).toHaveLength(6);
    const crowd = await Crowd.seat([node.ports.public], orgs, 2);
    await crowd.renewed();
    await eventually(async () => (await named(node)).join() === all.join());
    const [killed] = redis.servers;
    serverAt(redis, killed?.port ?? 0).kill('SIGKILL');
    const left = all.map((one) => (one === `${NAME}:${ports[0]} up` ? `${NAME}:${ports[0]} down` : one));
    await eventually(async () => (await named(node)).join() === left.join());
    // Claims and renewals of every org go on, on whichever master has its slot by then.
    await crowd.renewed();
    expect(crowd.lost()).toEqual([]);
    crowd.leave();
    node.signal('SIGTERM');
    await node.ended();
    await redis.stop();
  });

  it('is reached by the name that it announces where its certificates are for names alone', async () => {
    const tls = tlsFiles(true);
    const redis = await testCluster({ hostname: NAME, tls });
    const [port] = tlsPortsIn(redis.url);
    const node = await NodeProcess.start(`rediss+cluster://${NAME}:${port}`, tlsSettings(tls));
    const crowd = await Crowd.seat([node.ports.public], orgs, 1);
    await crowd.renewed();
    crowd.leave();
    node.signal('SIGTERM');
    await node.ended();
    await redis.stop();
  });
});

describe('Sentinels that announce host names', () => {
  it('lead to the master and, after a failover, to the next one; the metrics name the one in use once', async () => {
    const redis = await testSentinels({ hostname: NAME });
    const [sentinel] = redis.sentinels;
    const master = async () =>
      (await ask(sentinel?.port ?? 0, 'SENTINEL', 'get-master-addr-by-name', 'main')) as [string, string];
    const [host, port] = await master();
    expect(host).toBe(NAME);
    const node = await startNode(redis.url, { SOLESEAT_METRICS_EVERY_MS: '100' });
    const isNamedOnce = async (one: string) => {
      const up = (await named(node)).filter((line) => line.endsWith(' up'));
      return up.length === 1 && up[0]?.endsWith(`:${one} up`);
    };
    const crowd = await Crowd.seat([node.ports.public], ['acme'], 3);
    await eventually(() => isNamedOnce(port));
    serverAt(redis, Number(port)).kill('SIGKILL');
    await eventually(async () => (await master())[1] !== port);
    // On a busy machine the next one may be found dead too.
    await eventually('the name of the present master in the metrics', async () => {
      const [nextHost, nextPort] = await master();
      return nextHost === NAME && isNamedOnce(nextPort);
    });
    await crowd.renewed();
    expect(crowd.lost()).toEqual([]);
    crowd.leave();
    await node.stop();
    await redis.stop();
  });
});
