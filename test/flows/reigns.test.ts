import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { MASTER_NAME } from '../../src/embedded/redis-topology.js';
import { helloOf } from '../support/crowd.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import {
  ask,
  cutOff,
  mastersOf,
  replicaOf,
  sentinelsWithClock,
  serverAt,
  testCluster,
} from '../support/redis-topology.js';
import { casesOf } from '../support/scope.js';

const ORG = 'umbrella';
const TWO_DAYS_SECONDS = 172_800;
const HOUR_US = 3_600_000_000;

/** Two nodes over a master that is about to be lost, and what is known only to it. */
class Stage {
  private constructor(
    readonly redis: Awaited<ReturnType<typeof sentinelsWithClock>>,
    readonly nodes: readonly Broker[],
  ) {}

  static async open(aheadSeconds = 0): Promise<Stage> {
    const redis = await sentinelsWithClock(aheadSeconds);
    const open = () => startNode(redis.url, { SOLESEAT_TAKEOVERS_PER_MINUTE: '0' });
    const stage = new Stage(redis, await Promise.all([open(), open()]));
    ends.push(() => stage.close());
    return stage;
  }

  /** With a token that outlasts a clock that is hours ahead. */
  async hello(node: 0 | 1, machine: string): Promise<Desktop> {
    const desktop = await Desktop.open(
      this.nodes[node]?.ports.public ?? 0,
      tokenFor('ada', ORG, TWO_DAYS_SECONDS),
    );
    desktop.say({ type: 'hello', machine: { id: machine, name: machine } });
    return desktop;
  }

  /** As a program does that is refused for a moment: it tries again. */
  async helloWhenReady(node: 0 | 1, machine: string): Promise<Desktop> {
    let desktop: Desktop | null = null;
    await eventually(async () => {
      desktop = await this.hello(node, machine).catch(() => null);
      if (desktop === null) return false;
      const one: Desktop = desktop;
      await one.until(() => one.find('welcome') !== undefined || one.closed !== null);
      return one.find('welcome') !== undefined;
    });
    return desktop as unknown as Desktop;
  }

  async master(): Promise<number> {
    const [sentinel] = this.redis.sentinels;
    const address = await ask(sentinel?.port ?? 0, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
    return Number((address as string[])[1]);
  }

  /** All that the master has been told is at its replicas. */
  async replicated(master: Redis): Promise<void> {
    await master.set('mark', '1');
    expect(await master.wait(2, 10_000)).toBe(2);
  }

  /** A connection that was there before the master is cut off; afterwards it takes no other. */
  connectTo(port: number): Redis {
    const client = new Redis(port, '127.0.0.1', { retryStrategy: () => null });
    client.on('error', () => {});
    ends.push(async () => client.disconnect());
    return client;
  }

  /** The master dies; what it was told since it was cut off dies with it. */
  async failOver(from: number): Promise<void> {
    serverAt(this.redis, from).kill('SIGKILL');
    await eventually(async () => (await this.master()) !== from);
    const to = await this.master();
    await eventually(async () => String(await ask(to, 'INFO', 'replication')).includes('role:master'));
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.redis.stop();
  }
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

describe('promise 8: a failover that lost grants', () => {
  const clocks = [
    ['was ahead by an hour and was set right', 3600, true],
    ['is half a minute ahead of its replica', 30, false],
    ['is five hours ahead of its replica', 18_000, false],
    ['is three seconds behind its replica', -3, false],
  ] as const;
  it.each(casesOf(clocks, ([, seconds]) => seconds === 3600 || seconds < 0))(
    'gives no epoch twice and none lower, where the clock of the master %s',
    async (_, aheadSeconds, isSetRight) => {
      const stage = await Stage.open(aheadSeconds);
      const workstation = await stage.hello(0, 'workstation');
      await workstation.told('welcome');
      if (isSetRight) stage.redis.setAhead(0);
      const master = await stage.master();
      await stage.replicated(stage.connectTo(master));
      await cutOff(master);
      const laptop = await stage.hello(0, 'laptop');
      const lost = await laptop.told('welcome');
      await stage.failOver(master);
      const tower = await stage.helloWhenReady(1, 'tower');
      const last = await tower.told('welcome');
      expect(last.epoch).toBeGreaterThan(lost.epoch);
      // The newest act of the person wins, wherever the older one is held.
      const { reason, by } = await laptop.told('evicted');
      expect({ reason, by }).toEqual({ reason: 'taken_over', by: { machine: { name: 'tower' } } });
      await tower.told('lease');
      expect(tower.closed).toBeNull();
    },
  );
});

describe('promise 8: a failover in a cluster that lost grants', () => {
  it('begins a reign for the orgs of that master alone: no epoch comes twice, and none is lower later', async () => {
    const redis = await testCluster();
    ends.push(() => redis.stop());
    const open = () => startNode(redis.url, { SOLESEAT_TAKEOVERS_PER_MINUTE: '0' });
    const nodes = await Promise.all([open(), open()]);
    ends.push(async () => void (await Promise.all(nodes.map((node) => node.stop()))));
    const [here = 0, there = 0] = nodes.map((node) => node.ports.public);
    const orgs = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark'];
    const people = await Promise.all(orgs.map((org) => helloOf(here, org, 'ada', 'workstation')));
    const [first] = await Promise.all(people.map((one) => one.told('welcome')));
    const hit = orgs[0] ?? '';
    const keyOf = (org: string) => `soleseat:{${org}}:epoch`;
    const masters = await mastersOf(redis, orgs.map(keyOf));
    const [master = 0] = masters;
    // As a clock leaves it that was ahead by an hour and was set right: from here on epochs count on one by one.
    const client = new Redis(master, '127.0.0.1');
    await client.set(keyOf(hit), String((first?.epoch ?? 0) + HOUR_US));
    expect(await client.wait(1, 10_000)).toBe(1);
    client.disconnect();
    const replica = serverAt(redis, await replicaOf(master));
    replica.kill('SIGSTOP');
    const laptop = await helloOf(here, hit, 'ada', 'laptop');
    const lost = await laptop.told('welcome');
    serverAt(redis, master).kill('SIGKILL');
    replica.kill('SIGCONT');
    let tower: Desktop | undefined;
    await eventually(async () => {
      const one = await helloOf(there, hit, 'ada', 'tower').catch(() => null);
      await one?.until(() => one.closed !== null || one.find('welcome') !== undefined);
      if (one?.find('welcome') !== undefined) tower = one;
      return tower !== undefined;
    });
    const last = await tower?.told('welcome');
    expect(last?.epoch).toBeGreaterThan(lost.epoch);
    expect((await laptop.told('evicted')).reason).toBe('taken_over');
    // The sessions of the master's other orgs are confirmed under new epochs; those of other masters go on as they were.
    for (const [i, one] of people.entries()) {
      if (i === 0) continue;
      const had = one.find('welcome')?.epoch ?? 0;
      if (masters[i] === master) await one.until(() => one.epoch > had || one.closed !== null);
      else expect(one.epoch).toBe(had);
      expect(one.closed).toBeNull();
    }
  });
});
