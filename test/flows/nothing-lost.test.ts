import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { seatAll } from '../support/crowd.js';
import { Desktop, resume } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { PATIENT, startNode, tokenFor } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { testRedis, useRedis } from '../support/redis.js';

const redis = useRedis();

const leaseKey = (user: string) => `soleseat:{acme}:lease:${user}`;
const counter = async (name: string) =>
  Number((await redis.client.hget('soleseat:{acme}:counters', name)) ?? 0);

describe('promise 7: a crash costs nobody a seat', () => {
  it('500 sessions of a killed node are all back on another with their sessionId, and nobody is evicted', async () => {
    const [doomed, other] = await Promise.all([
      NodeProcess.start(redis.url, PATIENT),
      NodeProcess.start(redis.url, PATIENT),
    ]);
    const users = Array.from({ length: 500 }, (_, i) => `crash-${i}`);
    const before = await seatAll(doomed.ports.public, users);
    const welcomes = await Promise.all(before.map((desktop) => desktop.told('welcome')));
    await doomed.kill();
    await Promise.all(before.map((desktop) => desktop.close()));
    const after = await Promise.all(
      before.map((desktop, i) => resume(other.ports.public, users[i] ?? '', `pc-${users[i]}`, desktop)),
    );
    const resumed = await Promise.all(after.map((desktop) => desktop.told('welcome')));
    expect(resumed.every((welcome) => welcome.resumed)).toBe(true);
    expect(resumed.map((welcome) => welcome.sessionId)).toEqual(welcomes.map((welcome) => welcome.sessionId));
    expect(before.filter((desktop) => desktop.find('evicted') !== undefined)).toEqual([]);
    expect(await counter('ended:taken_over')).toBe(0);
    await other.kill();
  });

  it('orphans of a killed node leave the counts a second after their TTL', async () => {
    const [doomed, other] = await Promise.all([NodeProcess.start(redis.url), NodeProcess.start(redis.url)]);
    const orphan = await Desktop.hello(doomed.ports.public, 'orphan', 'pc');
    const { sessionId } = await orphan.told('welcome');
    const leaseEndMs = async () => Number(await redis.client.zscore('soleseat:{acme}:active', 'orphan'));
    await doomed.kill();
    const endMs = await leaseEndMs();
    await eventually(async () => (await leaseEndMs()) === 0);
    const events = await redis.client.xrevrange('soleseat:{acme}:events', '+', '-', 'COUNT', 50);
    const swept = events
      .map(([, fields]) => fields)
      .find((fields) => fields.includes('expired') && fields.includes(sessionId));
    const sweptAtMs = Number(swept?.[(swept?.indexOf('at') ?? -1) + 1]);
    expect(sweptAtMs - endMs).toBeLessThanOrEqual(1000);
    await other.kill();
  });
});

describe('promise 6: self-fencing', () => {
  it('a node that was stopped beyond the TTL does nothing under the old epoch', async () => {
    const [stopped, other] = await Promise.all([NodeProcess.start(redis.url), NodeProcess.start(redis.url)]);
    const workstation = await Desktop.hello(stopped.ports.public, 'sleepy', 'workstation');
    await workstation.told('lease');
    stopped.signal('SIGSTOP');
    await eventually(async () => (await redis.client.exists(leaseKey('sleepy'))) === 0);
    // The laptop comes and goes: nobody holds the seat when the node wakes, yet its epoch is over.
    const laptop = await Desktop.hello(other.ports.public, 'sleepy', 'laptop');
    await laptop.told('welcome');
    laptop.say({ type: 'release' });
    await laptop.close();
    const leasesBefore = workstation.received.filter(({ type }) => type === 'lease').length;
    stopped.signal('SIGCONT');
    expect((await workstation.told('evicted')).reason).toBe('released');
    expect(workstation.received.filter(({ type }) => type === 'lease').length).toBe(leasesBefore);
    expect(await redis.client.exists(leaseKey('sleepy'))).toBe(0);
    await Promise.all([stopped.kill(), other.kill()]);
  });

  it('with no grace, a session ends before its lease can run out in Redis', async () => {
    const own = await testRedis();
    const node = await startNode(own.url, { SOLESEAT_JEOPARDY_GRACE_MS: '0', SOLESEAT_LEASE_TTL_MS: '6000' });
    const desktop = await Desktop.hello(node.ports.public, 'strict', 'pc');
    await desktop.told('lease');
    const observer = new Redis(own.url);
    const leaseEndMs = performance.now() + (await observer.pttl(leaseKey('strict')));
    observer.disconnect();
    own.kill('SIGSTOP');
    expect(await desktop.close()).toEqual({ code: 4010, reason: 'lease_lost' });
    // The node's margin is 600 ms; another 600 are for how late this process may hear of it.
    expect(performance.now()).toBeLessThan(leaseEndMs + 600);
    expect(desktop.find('jeopardy')?.graceMs).toBeGreaterThan(0);
    own.kill('SIGCONT');
    await node.stop();
    await own.stop();
  });

  it('within the grace, a session is told of the jeopardy and of the recovery, and keeps its epoch', async () => {
    const own = await testRedis();
    // The lease must outlive the jeopardy, however slow the machine is.
    const node = await startNode(own.url, { SOLESEAT_LEASE_TTL_MS: '30s', SOLESEAT_RENEW_EVERY_MS: '1s' });
    const desktop = await Desktop.hello(node.ports.public, 'grace', 'pc');
    const { epoch } = await desktop.told('welcome');
    own.kill('SIGSTOP');
    await desktop.told('jeopardy');
    own.kill('SIGCONT');
    await desktop.told('recovered');
    await desktop.until(() => desktop.received.at(-1)?.type === 'lease');
    expect(desktop.received.at(-1)).toMatchObject({ type: 'lease', epoch });
    await node.stop();
    await own.stop();
  });
});

describe('promise 8: Redis may lose everything', () => {
  it('after FLUSHALL the lease is put back under a new epoch, and the next epoch is above it', async () => {
    const own = await testRedis();
    const node = await startNode(own.url);
    const desktop = await Desktop.hello(node.ports.public, 'flushed', 'pc');
    const { sessionId, epoch } = await desktop.told('welcome');
    const observer = new Redis(own.url);
    await observer.flushall();
    await eventually(
      async () => (await observer.get(leaseKey('flushed')))?.startsWith(`${sessionId}:`) ?? false,
    );
    const laptop = await Desktop.hello(node.ports.public, 'flushed', 'laptop');
    expect(desktop.epoch).toBeGreaterThan(epoch);
    expect((await laptop.told('welcome')).epoch).toBeGreaterThan(desktop.epoch);
    observer.disconnect();
    await node.stop();
    await own.stop();
  });
});

describe('promise 12: drain without loss', () => {
  it('at SIGTERM the node is not ready at once, and its sessions resume elsewhere with their sessionId', async () => {
    const slowly = { ...PATIENT, SOLESEAT_DRAIN_MS: '1500' };
    const [leaving, staying] = await Promise.all([
      NodeProcess.start(redis.url, slowly),
      NodeProcess.start(redis.url, PATIENT),
    ]);
    const users = Array.from({ length: 50 }, (_, i) => `drain-${i}`);
    const before = await Promise.all(
      users.map((user) => Desktop.hello(leaving.ports.public, user, `pc-${user}`)),
    );
    await Promise.all(before.map((desktop) => desktop.told('welcome')));
    leaving.signal('SIGTERM');
    let status = 200;
    await eventually(async () => {
      status = await leaving.readiness();
      return status !== 200;
    });
    expect(status).toBe(503);
    // At once: while the spread still goes on.
    expect(before.some((desktop) => desktop.find('draining') === undefined)).toBe(true);
    const moved = before.map(async (desktop, i) => {
      expect((await desktop.told('draining')).reconnectWithinMs).toBeGreaterThan(0);
      expect((await desktop.close()).code).toBe(1012);
      return resume(staying.ports.public, users[i] ?? '', `pc-${users[i]}`, desktop);
    });
    for (const [i, desktop] of (await Promise.all(moved)).entries()) {
      const again = await desktop.told('welcome');
      expect(again).toMatchObject({ resumed: true, sessionId: before[i]?.find('welcome')?.sessionId });
    }
    expect(await leaving.ended()).toBe(0);
    await staying.kill();
  });
});

describe('tokens in mid-session', () => {
  it('a token that ends is warned of, then closes with 4001, and the seat stays to be resumed', async () => {
    const node = await startNode(redis.url, { SOLESEAT_TOKEN_WARNING_MS: '2000' });
    const desktop = await Desktop.open(node.ports.public, tokenFor('brief', 'acme', 4));
    desktop.say({ type: 'hello', machine: { id: 'pc' } });
    await desktop.told('token_expiring');
    expect((await desktop.close()).code).toBe(4001);
    const again = await resume(node.ports.public, 'brief', 'pc', desktop);
    expect((await again.told('welcome')).resumed).toBe(true);
    again.say({ type: 'refresh', token: tokenFor('somebody-else') });
    expect((await again.close()).code).toBe(4501);
    await node.stop();
  });
});
