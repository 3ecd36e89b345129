import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { metricsTable } from '../../src/base/metrics.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { SELDOM, tokenFor } from '../support/node.js';
import { promtool } from '../support/promtool.js';
import { testRedis } from '../support/redis.js';
import { brokerCauses } from './broker-causes.js';
import { licenseCauses } from './license-causes.js';
import { redisCauses, redisServerCauses } from './redis-causes.js';
import { type Cause, Stage } from './stage.js';
import { webhookCauses } from './webhook-causes.js';

/** One for each metric: a row of the table without a cause does not compile. */
const causes: Readonly<Record<keyof typeof metricsTable, Cause>> = {
  ...brokerCauses,
  ...licenseCauses,
  ...redisCauses,
  ...redisServerCauses,
  ...webhookCauses,
};

let shared: RedisProcess;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  shared = await testRedis();
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
afterAll(async () => {
  await shared.stop();
});

async function set({ settings, tls, ruinsRedis = false }: Partial<Cause> = {}): Promise<Stage> {
  const redis = ruinsRedis ? await testRedis() : shared;
  const stage = await Stage.set(redis, settings, tls);
  ends.push(() => stage.clear(!ruinsRedis));
  if (ruinsRedis) ends.push(() => redis.stop());
  // The first look at Redis has been taken.
  await eventually(async () => (await stage.scrape()).page.includes('soleseat_redis_server_up{'));
  return stage;
}

const moved = new Set<string>();

describe('each metric', () => {
  it.each(Object.entries(causes))('%s moves when its cause happens', async (property, cause) => {
    const stage = await set(cause);
    const series = cause.series.replace('ADDRESS', stage.address);
    const before = (await stage.scrape()).value(series);
    const isMoved = cause.isMoved ?? ((after: number) => after > before);
    await cause.happen(stage);
    await eventually(async () => isMoved((await stage.scrape()).value(series), before));
    const [kind, name] = metricsTable[property as keyof typeof metricsTable];
    expect(series.replace(/\{.*$/, '')).toBe(kind === 'histogram' ? `${name}_count` : name);
    moved.add(property);
  });

  it('of the table has been moved, and no other is there', async () => {
    expect([...moved].sort()).toEqual(Object.keys(metricsTable).sort());
    const { page } = await (await set()).scrape();
    const named = [...page.matchAll(/^# TYPE (soleseat_\w+)/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(
      Object.values(metricsTable)
        .map(([, name]) => name)
        .sort(),
    );
  });
});

describe('an eviction', () => {
  it.each([
    // No renewal may come before the notice.
    ['pubsub', 'whose notice comes', false, SELDOM],
    ['renewal', 'whose notice is lost', true, {}],
  ])('has the path %s %s', async (path, _, losesInbox, settings) => {
    const stage = await set({ settings });
    const desktop = await stage.seat('ada');
    stage.proxy.losesInbox = losesInbox;
    await stage.node.store.leases.evict({
      org: 'acme',
      user: 'ada',
      reason: 'evicted_by_admin',
      actor: 'ops',
    });
    await desktop.told('evicted');
    const seen = await stage.scrape();
    const counted = seen.series.filter(
      (one) => one.startsWith('soleseat_evictions_total{') && seen.value(one) > 0,
    );
    expect(counted).toEqual([`soleseat_evictions_total{reason="evicted_by_admin",path="${path}"}`]);
  });
});

describe('a scrape', () => {
  it('passes promtool check metrics', async () => {
    const stage = await set();
    await stage.seat('ada', 'workstation');
    await stage.seat('ada', 'laptop');
    const { page } = await stage.scrape();
    expect(await promtool(['check', 'metrics'], page)).toEqual({ code: 0, output: '' });
  });

  it('names orgs up to a limit, and sums those beyond', async () => {
    const stage = await set({ settings: { SOLESEAT_METRICS_ORGS: '2' } });
    for (const org of ['a', 'b', 'c', 'd']) {
      const desktop = await Desktop.open(stage.node.ports.public, tokenFor('ada', org));
      desktop.say({ type: 'hello', machine: { id: 'workstation' } });
      await desktop.told('welcome');
    }
    await eventually(
      async () => (await stage.scrape()).value('soleseat_licenses_active{org="{others}"}') === 2,
    );
    const { series } = await stage.scrape();
    const named = series.filter((one) => one.startsWith('soleseat_licenses_active{'));
    expect(named).toEqual(['a', 'b', '{others}'].map((org) => `soleseat_licenses_active{org="${org}"}`));
  });

  it('holds no user, machine, session or token', async () => {
    const stage = await set();
    const desktop = await stage.seat('very-private-person', 'very-private-machine');
    const { sessionId } = await desktop.told('welcome');
    const { page } = await stage.scrape();
    for (const secret of ['very-private', sessionId, tokenFor('very-private-person').slice(0, 20)])
      expect(page).not.toContain(secret);
  });

  it('has no more series for many sessions than for one, and none that walks the sockets', async () => {
    const stage = await set();
    const crowd = Array.from({ length: 30 }, (_, i) => `person-${i}`);
    const seriesWith = async (people: readonly string[]) => {
      const desktops = await Promise.all(people.map((one) => stage.seat(one, one)));
      await Promise.all(desktops.map((desktop) => desktop.told('lease')));
      await eventually(async () => (await stage.scrape()).value('soleseat_licenses_active{org="acme"}') > 0);
      // What else goes on meanwhile: kinds of collection, and of housekeeping.
      const others = /^(nodejs_gc_|soleseat_redis_command_)/;
      return (await stage.scrape()).series.filter((one) => !others.test(one));
    };
    const few = await seriesWith(crowd.slice(0, 1));
    const many = await seriesWith(crowd.slice(1));
    expect((await stage.scrape()).value('soleseat_sessions')).toBe(30);
    expect(many).toEqual(few);
    expect(many.filter((one) => /^(process_open_fds|nodejs_active_)/.test(one))).toEqual([]);
  });

  it('counts sessions and connections down again, however they end', async () => {
    const stage = await set();
    const seats = await Promise.all(['released', 'gone', 'taken'].map((user) => stage.seat(user)));
    expect((await stage.scrape()).value('soleseat_sessions')).toBe(3);
    const winner = await stage.seat('taken', 'laptop');
    seats[0]?.say({ type: 'release' });
    seats[1]?.ws.terminate();
    await eventually(async () => (await stage.scrape()).value('soleseat_sessions') === 1);
    winner.ws.terminate();
    await eventually(async () => {
      const seen = await stage.scrape();
      return seen.value('soleseat_sessions') + seen.value('soleseat_connections') === 0;
    });
  });

  it('does not wait for a Redis that is frozen', async () => {
    const stage = await set({ ruinsRedis: true });
    stage.redis.kill('SIGSTOP');
    const answers = await Promise.all(Array.from({ length: 5 }, () => stage.scrape()));
    expect(answers.every((scrape) => scrape.has('soleseat_ready'))).toBe(true);
  });
});
