import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Relay } from '../../chaos/relay.js';
import type { Broker } from '../../src/broker.js';
import { ClientProcess } from '../support/client-process.js';
import { eventually } from '../support/eventually.js';
import { startJavaClient } from '../support/java.js';
import { startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { startPythonClient } from '../support/python.js';
import { useRedis } from '../support/redis.js';
import { seatOnceFree } from '../support/waiting.js';

// A busy machine needs a while to compile the Java program before it runs it.
vi.setConfig({ testTimeout: 180_000 });

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

/** Each is started against a port. All print `holds true` and `holds false` at each change. */
const programs = [
  ['of the client library', ClientProcess.library],
  ['of the Python example', startPythonClient],
  ['of the Java example', startJavaClient],
] as const;
const userOf = (name: string) => name.replaceAll(' ', '-');
const saidOfHolding = () => client.lines.filter((line) => line.startsWith('holds '));

describe('promise 15: a client program that is stopped while its seat goes to another machine', () => {
  it.each(programs)('%s: what lay in its socket gives it nothing when it goes on', async (name, start) => {
    const user = userOf(name);
    client = start(node.ports.public, tokenFor(user), 'workstation');
    await client.printed('holds true');
    client.signal('SIGSTOP');
    await renewals(user, 1);
    const laptop = await seatOnceFree(node.ports.public, user, 'laptop');
    const told = client.lines.length;
    client.signal('SIGCONT');
    await client.printed((line) => line.includes('conflict'), told);
    expect(client.lines.slice(told)).not.toContain('holds true');
    expect([client.holds, laptop.closed]).toEqual([false, null]);
    laptop.ws.close();
  });
});

describe('promise 15: a link that stalls for 3 s, and a node that is frozen then', () => {
  it.each(programs)('%s: it does not count on a seat that another machine has', async (name, start) => {
    const user = userOf(name);
    const frozen = await NodeProcess.start(redis.url, times);
    const relay = await Relay.start({ target: () => frozen.ports.public });
    client = start(relay.port, tokenFor(user), 'workstation');
    await client.printed('holds true');
    await renewals(user, 1);
    relay.hold('down');
    const stalledMs = performance.now();
    await renewals(user, 1);
    frozen.signal('SIGSTOP');
    await eventually(() => performance.now() - stalledMs > 3_000);
    relay.heal();
    const laptop = await seatOnceFree(node.ports.public, user, 'laptop');
    expect(saidOfHolding()).toEqual(['holds true', 'holds false']);
    laptop.ws.close();
    await frozen.kill();
    relay.stop();
  });
});
