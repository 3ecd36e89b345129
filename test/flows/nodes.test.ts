import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Desktop, resume } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, startNode } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();

const leaseKey = (user: string) => `soleseat:{acme}:lease:${user}`;
const leases = ({ received }: Desktop) => received.filter((message) => message.type === 'lease');

describe('the directory of nodes', () => {
  it('tells of each what it serves, and forgets those that have long been silent', async () => {
    const [one, two] = [await startNode(redis.url), await startNode(redis.url)];
    await (await Desktop.hello(one.ports.public, 'ada', 'pc')).told('welcome');
    await eventually(async () => (await two.store.nodes.list()).some(({ sessions }) => sessions === 1));
    const [mine, other] = [one, two].map(({ nodeId }) => nodeId);
    const records = await two.store.nodes.list();
    expect(records.map(({ nodeId }) => nodeId).sort()).toEqual([mine, other].sort());
    expect(records.find(({ nodeId }) => nodeId === mine)).toMatchObject({
      isLive: true,
      state: 'ready',
      sessions: 1,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      publicAddress: `127.0.0.1:${one.ports.public}`,
      startedAtMs: expect.any(Number),
    });
    // A node that was killed: it says no more, and has not taken leave.
    await redis.client.zadd('soleseat:nodes', Date.now() - 10_000, 'killed');
    expect((await two.store.nodes.list()).at(-1)).toMatchObject({ nodeId: 'killed', isLive: false });
    await redis.client.zadd('soleseat:nodes', Date.now() - 120_000, 'killed');
    await eventually(async () => (await two.store.nodes.list()).length === 2);
    await Promise.all([one.stop(), two.stop()]);
    expect(await redis.client.exists('soleseat:nodes', 'soleseat:node-info')).toBe(0);
  });
});

describe('promise 6: a node whose event loop is full', () => {
  it('keeps who has not been displaced meanwhile, and ends who has, with the reason', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-busy-'));
    const isBusy = join(folder, 'busy');
    writeFileSync(isBusy, '');
    const hooks = { TEST_ON_SIGUSR2: isBusy };
    const [busy, other] = await Promise.all([
      NodeProcess.start(redis.url, {}, { hooks }),
      NodeProcess.start(redis.url),
    ]);
    const loser = await Desktop.hello(busy.ports.public, 'busy-1', 'workstation');
    const keeper = await Desktop.hello(busy.ports.public, 'busy-2', 'workstation');
    await Promise.all([loser, keeper].map((desktop) => desktop.told('lease')));
    const { sessionId, epoch } = await keeper.told('welcome');
    busy.signal('SIGUSR2');
    // Longer than the TTL, and until the other node has swept: the seats are out of the counts.
    await eventually(async () => (await redis.client.exists(leaseKey('busy-1'), leaseKey('busy-2'))) === 0);
    await eventually(async () => (await redis.client.zcard('soleseat:{acme}:active')) === 0);
    const before = leases(loser).length;
    const winner = await Desktop.hello(other.ports.public, 'busy-1', 'laptop');
    const won = await winner.told('welcome');
    rmSync(folder, { recursive: true });
    expect(await loser.told('evicted')).toMatchObject({ reason: 'taken_over', epoch: won.epoch });
    expect(leases(loser).length).toBe(before);
    // Its lease had run out and is put back: the same session, under a new epoch.
    await eventually(
      async () => (await redis.client.get(leaseKey('busy-2')))?.startsWith(`${sessionId}:`) ?? false,
    );
    await keeper.until(() => keeper.epoch > epoch || keeper.closed !== null);
    expect([keeper.closed, winner.closed]).toEqual([null, null]);
    await Promise.all([busy.kill(), other.kill()]);
  });
});

describe('promise 7: a node that runs out of memory', () => {
  it('dies, and its sessions are back on another with their sessionId', async () => {
    const [doomed, other] = await Promise.all([
      NodeProcess.start(redis.url, PATIENT, {
        hooks: { TEST_ON_SIGUSR2: 'eat memory' },
        args: ['--max-old-space-size=64'],
      }),
      NodeProcess.start(redis.url, PATIENT),
    ]);
    const users = Array.from({ length: 50 }, (_, i) => `eaten-${i}`);
    const before = await Promise.all(users.map((user) => Desktop.hello(doomed.ports.public, user, 'pc')));
    const welcomes = await Promise.all(before.map((desktop) => desktop.told('welcome')));
    doomed.signal('SIGUSR2');
    await doomed.ended();
    expect(doomed.child.exitCode).not.toBe(0);
    const after = await Promise.all(
      before.map((desktop, i) => resume(other.ports.public, users[i] ?? '', 'pc', desktop)),
    );
    const resumed = await Promise.all(after.map((desktop) => desktop.told('welcome')));
    expect(resumed.map(({ sessionId }) => sessionId)).toEqual(welcomes.map(({ sessionId }) => sessionId));
    await other.kill();
  });
});
