import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { MASTER_NAME } from '../../src/embedded/redis-topology.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode, tokenFor } from '../support/node.js';
import { ask, cutOff, sentinelsWithClock, serverAt } from '../support/redis-topology.js';

const ORG = 'umbrella';
const TWO_DAYS_SECONDS = 172_800;

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
  it.each([
    ['was ahead by an hour and was set right', 3600, true],
    ['is half a minute ahead of its replica', 30, false],
    ['is five hours ahead of its replica', 18_000, false],
    ['is three seconds behind its replica', -3, false],
  ])(
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
