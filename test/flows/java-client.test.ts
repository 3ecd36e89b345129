import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Relay } from '../../chaos/relay.js';
import type { Broker } from '../../src/broker.js';
import type { ClientProcess } from '../support/client-process.js';
import { Desktop } from '../support/desktop.js';
import { startJavaClient } from '../support/java.js';
import { startNode, tokenFor } from '../support/node.js';
import { useRedis } from '../support/redis.js';

// A busy machine needs a while to compile the program before it runs it.
vi.setConfig({ testTimeout: 180_000 });

const redis = useRedis();
let node: Broker;
let relay: Relay;
let client: ClientProcess;

beforeAll(async () => {
  node = await startNode(redis.url);
  relay = await Relay.start({ target: () => node.ports.public });
});
afterAll(async () => {
  relay.stop();
  await node.stop();
});
beforeEach(() => redis.client.flushall());
afterEach(() => client.kill());

const isMessage =
  (type: string, more = '') =>
  (line: string) =>
    line.includes(`"type":"${type}"`) && line.includes(more);

describe('a program for the WebSocket of the JDK, in one source file', () => {
  it('takes a seat, resumes it when its connection broke, and is told of a takeover', async () => {
    // Its lease outlives the reconnect, however busy the machine is.
    const patient = await startNode(redis.url, { SOLESEAT_LEASE_TTL_MS: '60000' });
    const way = await Relay.start({ target: () => patient.ports.public });
    onTestFinished(async () => {
      way.stop();
      await patient.stop();
    });
    client = startJavaClient(way.port, tokenFor('ada'), 'workstation');
    await client.printed(isMessage('lease'));
    way.cut({ refuses: false });
    await client.printed(isMessage('welcome', '"resumed":true'));
    const resumed = client.lines.length;
    await client.printed(isMessage('lease'), resumed);
    expect(client.lines.filter((line) => line.startsWith('holds '))).toEqual(['holds true']);
    const laptop = await Desktop.hello(node.ports.public, 'ada', 'laptop');
    expect((await laptop.told('welcome')).displaced).toEqual({ machine: { name: 'workstation' } });
    expect(await client.ended()).toBe(3);
    const [evicted = '', holds] = client.lines.slice(-2);
    expect(JSON.parse(evicted)).toMatchObject({ reason: 'taken_over', by: { machine: { name: 'laptop' } } });
    expect(holds).toBe('holds false');
    laptop.ws.close();
  });

  it('waits where another machine has the seat, takes it when a person says so, and gives it back', async () => {
    client = startJavaClient(relay.port, tokenFor('kay'), 'workstation');
    await client.printed('holds true');
    // Its link is gone for longer than its lease, and another machine gets the seat.
    relay.cut({ refuses: true });
    await client.printed('holds false');
    const laptop = await Desktop.hello(node.ports.public, 'kay', 'laptop');
    await laptop.told('welcome');
    relay.heal();
    await client.printed(isMessage('conflict', '"name":"laptop"'));
    const told = client.lines.length;
    client.write('takeover\n');
    await client.printed('holds true', told);
    expect((await laptop.close()).code).toBe(4509);
    client.write('release\n');
    expect(await client.ended()).toBe(0);
    expect(await redis.client.exists('soleseat:{acme}:lease:kay')).toBe(0);
  });
});
