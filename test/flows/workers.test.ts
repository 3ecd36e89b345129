import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { SettingTexts } from '../../src/base/settings.js';
import { ended, startCommand } from '../support/command.js';
import { Desktop, resume } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, testTexts, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { promtool } from '../support/promtool.js';
import { useRedis } from '../support/redis.js';
import { liveNodes, seatMany, workersOf } from '../support/worker-group.js';

const redis = useRedis();
beforeEach(async () => {
  await redis.client.flushall();
});

async function group(workers: number, more: SettingTexts = {}): Promise<NodeProcess> {
  const node = await NodeProcess.start(redis.url, {
    ...PATIENT,
    SOLESEAT_WORKERS: String(workers),
    SOLESEAT_HELLO_TIMEOUT_MS: '60000',
    ...more,
  });
  onTestFinished(() => node.kill());
  // The first worker makes the group ready; the others may still be starting.
  await eventually(
    'all workers are there',
    async () => (await liveNodes(redis.client, node)).length === workers,
  );
  return node;
}

async function scrape(node: NodeProcess): Promise<string> {
  return (await fetch(`http://127.0.0.1:${node.ports.admin}/metrics`)).text();
}

function valueIn(page: string, series: string): number {
  return Number(
    page
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1],
  );
}

/** What /readyz says; 0 where nobody answers, as on a connection that was being handed to a worker that died. */
function statusOf(node: NodeProcess): Promise<number> {
  return new Promise((resolve) => {
    const url = `http://127.0.0.1:${node.ports.admin}/readyz`;
    const request = get(url, { agent: false, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', () => resolve(0));
  });
}

/** How many of so many handshakes at once are let in; the rest must be refused with 429. */
async function letIn(node: NodeProcess, count: number): Promise<Desktop[]> {
  const tried = await Promise.allSettled(
    Array.from({ length: count }, (_, i) => Desktop.open(node.ports.public, tokenFor(`caller-${i}`))),
  );
  for (const one of tried) if (one.status === 'rejected') expect(String(one.reason)).toContain('429');
  return tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** Null where it fails, or takes long: a connection that was being handed to a worker that died gets no answer. */
function orNull<T>(opened: Promise<T>): Promise<T | null> {
  return Promise.race([opened.catch(() => null), pause(2000, null)]);
}

describe('SOLESEAT_WORKERS', () => {
  it('shares the ports among nodes of their own, and a takeover is told from one to another', async () => {
    const node = await group(2);
    const desktops = await seatMany(node, 20);
    await eventually('both serve sessions', async () =>
      (await liveNodes(redis.client, node)).every(({ sessions = 0 }) => sessions > 0),
    );
    const takers = await Promise.all(
      desktops.map((_, i) => Desktop.hello(node.ports.public, `user-${i}`, 'laptop')),
    );
    await Promise.all(takers.map((taker) => taker.told('welcome')));
    for (const loser of desktops) expect((await loser.told('evicted')).reason).toBe('taken_over');
  });

  it('adds the metrics up without a label, and has a series of each worker for sessions, CPU and memory alone', async () => {
    const node = await group(2);
    await seatMany(node, 11);
    const page = await scrape(node);
    expect(await promtool(['check', 'metrics'], page)).toMatchObject({ code: 0 });
    expect([valueIn(page, 'soleseat_sessions'), valueIn(page, 'soleseat_connections')]).toEqual([11, 11]);
    expect(valueIn(page, 'soleseat_claims_total{outcome="granted"}')).toBe(11);
    // What all of them see alike is no sum.
    expect(valueIn(page, 'soleseat_ready')).toBe(1);
    expect(valueIn(page, 'soleseat_redis_up{role="commands"}')).toBe(1);
    const labelled = page.split('\n').filter((line) => /[{,]worker="/.test(line));
    expect(labelled.map((line) => line.split(' ')[0]).sort()).toEqual(
      ['cpu_seconds', 'memory_bytes', 'sessions'].flatMap((name) =>
        [1, 2].map((worker) => `soleseat_worker_${name}{worker="${worker}"}`),
      ),
    );
    expect([1, 2].reduce((sum, i) => sum + valueIn(page, `soleseat_worker_sessions{worker="${i}"}`), 0)).toBe(
      11,
    );
  });

  it('starts a worker again that dies: its sessions resume, no counter goes back, and the group stays ready', async () => {
    const node = await group(2);
    const desktops = await seatMany(node, 30);
    const before = await scrape(node);
    let isOver = false;
    const seen = new Set<number>();
    // Each look is a connection of its own: the workers take turns.
    const watch = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) seen.add(await statusOf(node));
      }),
    );
    const [doomed = 0, other] = workersOf(node);
    process.kill(doomed, 'SIGKILL');
    const lost = (await eventually('those of one worker are cut off', () => {
      const closed = desktops.filter((one) => one.closed !== null);
      return closed.length > 0 ? closed : null;
    })) as Desktop[];
    expect(lost.length).toBeLessThan(30);
    for (const desktop of lost) {
      const user = `user-${desktops.indexOf(desktop)}`;
      const again = await eventually('a handshake is let in', () =>
        orNull(resume(node.ports.public, user, 'pc', desktop)),
      );
      expect(await again?.told('welcome')).toMatchObject({
        resumed: true,
        sessionId: desktop.find('welcome')?.sessionId,
      });
    }
    await eventually('another worker stands in its place', () => {
      const now = workersOf(node);
      return now.length === 2 && !now.includes(doomed);
    });
    expect(workersOf(node)).toContain(other);
    await eventually('it serves', async () =>
      /soleseat_worker_sessions\{worker="1"\}/.test(await scrape(node)),
    );
    isOver = true;
    await watch;
    // A request that the dead one had taken gets no answer; no answer says that the group is not ready.
    expect([...seen].filter((status) => status !== 0)).toEqual([200]);
    const after = await scrape(node);
    for (const series of [
      'soleseat_claims_total{outcome="granted"}',
      'soleseat_claim_duration_seconds_count',
    ]) {
      if (Number.isNaN(valueIn(before, series))) continue;
      expect(valueIn(after, series), series).toBeGreaterThanOrEqual(valueIn(before, series));
    }
    expect(valueIn(after, 'soleseat_claims_total{outcome="granted"}')).toBe(30);
    expect(
      desktops.filter((one) => one.closed === null).every((one) => one.find('evicted') === undefined),
    ).toBe(true);
  });

  it('holds the limits of an address for all workers together, and forgets those of a dead one', async () => {
    const node = await group(3, {
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '10',
      SOLESEAT_HANDSHAKES_PER_ADDRESS_SECOND: '0',
    });
    const inside = await letIn(node, 40);
    expect(inside.length).toBe(10);
    expect((await letIn(node, 5)).length).toBe(0);
    for (const desktop of inside.slice(0, 4)) desktop.ws.close();
    await Promise.all(inside.slice(0, 4).map((desktop) => desktop.close()));
    const more = (await eventually(async () => {
      const some = await letIn(node, 8);
      return some.length > 0 ? some : null;
    })) as Desktop[];
    inside.push(...more);
    await eventually('all places are taken again', async () => {
      inside.push(...(await letIn(node, 8)));
      return inside.filter((one) => one.closed === null).length >= 10;
    });
    expect(inside.filter((one) => one.closed === null).length).toBe(10);
    for (const pid of workersOf(node)) process.kill(pid, 'SIGKILL');
    await Promise.all(inside.map((desktop) => desktop.close()));
    await eventually('all workers are new', async () => {
      return (await orNull(Desktop.open(node.ports.public, tokenFor('later')))) !== null;
    });
  });

  it('holds the attempts of an address for all workers together, refused ones included', async () => {
    const node = await group(2, {
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '1000',
      SOLESEAT_HANDSHAKES_PER_ADDRESS: '20',
    });
    for (let i = 0; i < 8; i += 1) await Desktop.open(node.ports.public, 'no.token.atall').catch(() => null);
    expect((await letIn(node, 40)).length).toBe(12);
  });

  it('counts plain requests of an address for all workers together', async () => {
    const node = await group(2, {
      SOLESEAT_CONNECTIONS_PER_ADDRESS: '1000',
      SOLESEAT_HANDSHAKES_PER_ADDRESS: '20',
    });
    const ask = async () =>
      (await fetch(`http://127.0.0.1:${node.ports.public}/v1/keys`, { headers: { Connection: 'close' } }))
        .status;
    const statuses = [];
    for (let i = 0; i < 60; i += 1) statuses.push(await ask());
    expect(statuses.filter((status) => status === 200).length).toBe(20);
  });

  it('drains all at SIGTERM: each session is told, and the whole ends with 0', async () => {
    const node = await group(2);
    const desktops = await seatMany(node, 12);
    const pids = workersOf(node);
    node.signal('SIGTERM');
    for (const desktop of desktops) {
      await desktop.told('draining');
      expect((await desktop.close()).code).toBe(1012);
    }
    expect(await node.ended()).toBe(0);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  });

  it('ends as one where it cannot start, and where its supervisor is killed', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await eventually(() => taken.listening);
    const { port } = taken.address() as { port: number };
    const start = (more: SettingTexts) =>
      startCommand(
        ['serve'],
        testTexts(redis.url, { SOLESEAT_WORKERS: '2', SOLESEAT_LOG_LEVEL: 'error', ...more }),
      );
    const clash = await ended(start({ SOLESEAT_PORT: String(port) }));
    expect(clash).toMatchObject({ code: 69, err: expect.stringContaining('is another broker running?') });
    for (const wrong of ['0', '-1', 'many', '2.5', '1000'])
      expect(await ended(start({ SOLESEAT_WORKERS: wrong }))).toMatchObject({
        code: 78,
        err: expect.stringContaining('SOLESEAT_WORKERS'),
      });
    const node = await group(2);
    const pids = workersOf(node);
    await node.kill();
    await eventually('no worker is left behind', () => pids.every((pid) => !existsSync(`/proc/${pid}/exe`)));
  });
});
