import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Relay } from '../../chaos/relay.js';
import type { Broker } from '../../src/broker.js';
import { ClientProcess } from '../support/client-process.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { startPythonClient } from '../support/python.js';
import { useRedis } from '../support/redis.js';
import { seatOnceFree } from '../support/waiting.js';

const TTL_MS = 6_000;
const times = { SOLESEAT_LEASE_TTL_MS: String(TTL_MS), SOLESEAT_RENEW_EVERY_MS: '1500' };
const redis = useRedis();
let node: Broker;
let client: ClientProcess;

beforeAll(async () => {
  node = await startNode(redis.url, times);
});
afterAll(() => node.stop());
beforeEach(() => redis.client.flushall());
afterEach(() => client.kill());

/** The lease in Redis has been renewed so often from now on. */
async function renewals(user: string, wanted: number): Promise<void> {
  let leftMs = await redis.client.pttl(`soleseat:{acme}:lease:${user}`);
  for (let seen = 0; seen < wanted; ) {
    await eventually(async () => {
      const beforeMs = leftMs;
      leftMs = await redis.client.pttl(`soleseat:{acme}:lease:${user}`);
      return leftMs > beforeMs;
    });
    seen++;
  }
}

describe('promise 15: a client program that is stopped while its seat goes to another machine', () => {
  it.each([
    [
      'of the client library',
      (user: string) => ClientProcess.library(node.ports.public, tokenFor(user), 'workstation'),
    ],
    [
      'of the Python example',
      (user: string) => startPythonClient(node.ports.public, tokenFor(user), 'workstation'),
    ],
  ])('%s: what lay in its socket gives it nothing when it goes on', async (name, start) => {
    const user = name.replaceAll(' ', '-');
    client = start(user);
    await client.printed('holds true');
    client.signal('SIGSTOP');
    await renewals(user, 1);
    const laptop = await seatOnceFree(node.ports.public, user, 'laptop');
    const told = client.lines.length;
    client.signal('SIGCONT');
    await client.printed((line) => line.includes('conflict'), told);
    expect(client.lines.slice(told)).not.toContain('holds true');
    expect(client.holds).toBe(false);
    expect(laptop.closed).toBeNull();
    laptop.ws.close();
  });
});

describe('promise 15: a link that stalls for 3 s, and a node that is frozen then', () => {
  it('do not make the client count on a seat that another machine has', async () => {
    const frozen = await NodeProcess.start(redis.url, times);
    const relay = await Relay.start({ target: () => frozen.ports.public });
    client = ClientProcess.library(relay.port, tokenFor('eve'), 'workstation');
    await client.printed('lease');
    relay.hold('down');
    const stalledMs = performance.now();
    await renewals('eve', 1);
    frozen.signal('SIGSTOP');
    await eventually(() => performance.now() - stalledMs > 3_000);
    relay.heal();
    const laptop = await seatOnceFree(node.ports.public, 'eve', 'laptop');
    expect(client.holds).toBe(false);
    expect(client.lines.filter((line) => line.startsWith('holds '))).toEqual(['holds true', 'holds false']);
    laptop.ws.close();
    await frozen.kill();
    relay.stop();
  });
});
