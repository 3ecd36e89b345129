import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const LIMIT_MS = 2000;
const org = '/v1/admin/orgs/acme';

const redis = useRedis();
let nodes: Broker[];

beforeAll(async () => {
  nodes = [await startNode(redis.url), await startNode(redis.url)];
  await setLimit(LIMIT_MS);
});
afterEach(async () => {
  await setLimit(LIMIT_MS);
});
afterAll(async () => {
  for (const node of nodes ?? []) await node.stop();
});

const port = (index = 0) => (nodes[index] as Broker).ports.public;
const admin = () => nodes[0] as Broker;

async function setLimit(idleLimitMs: number | null): Promise<void> {
  const answer = await ask(admin(), 'PATCH', org, { body: { idleLimitMs } });
  expect(answer.status, answer.text).toBe(200);
}

async function endedBy(user: string): Promise<string[]> {
  const { body } = await ask(admin(), 'GET', `${org}/events?type=session.ended&user=${user}`);
  return body.items.map(({ reason }: { reason: string }) => reason);
}

describe('an idle limit', () => {
  it('warns, then ends the session: one event, one reason, and the seat is free', async () => {
    const desktop = await Desktop.hello(port(), 'ida', 'pc', { idleMs: 0 });
    expect((await desktop.told('welcome')).idle).toEqual({ limitMs: 2000, warnMs: 500, reportEveryMs: 125 });
    const warning = await desktop.told('idle_warning');
    expect(warning.inMs).toBeGreaterThan(0);
    expect(warning.inMs).toBeLessThanOrEqual(500);
    expect((await desktop.told('evicted')).reason).toBe('idle_timeout');
    expect(await desktop.close()).toEqual({ code: 4517, reason: 'idle_timeout' });
    expect(await endedBy('ida')).toEqual(['idle_timeout']);
    expect(await redis.client.exists('soleseat:{acme}:lease:ida')).toBe(0);
    expect(await redis.client.zscore('soleseat:{acme}:idle', 'ida')).toBeNull();
  });

  it('is put off by activity, also after the warning', async () => {
    const desktop = await Desktop.hello(port(), 'activa', 'pc', { idleMs: 0 });
    await desktop.told('idle_warning');
    desktop.say({ type: 'activity' });
    const warnings = () => desktop.received.filter(({ type }) => type === 'idle_warning').length;
    await eventually(() => warnings() === 2 || desktop.closed !== null);
    expect(desktop.closed).toBeNull();
    expect(await desktop.close()).toMatchObject({ code: 4517 });
  });

  it('counts activity from when it was, and takes no older one for news', async () => {
    const desktop = await Desktop.hello(port(), 'olga', 'pc', { idleMs: 0 });
    const { sessionId } = await desktop.told('welcome');
    desktop.say({ type: 'activity', idleMs: 60_000 });
    desktop.say({ type: 'activity', idleMs: Number.MAX_SAFE_INTEGER });
    await desktop.told('lease');
    expect(desktop.closed).toBeNull();
    expect(sessionId).toBeTruthy();
    desktop.ws.terminate();
  });

  // [broker-idle-told]
  it.each([
    ['says nothing of idling', {}],
    ['has an exempt license', { idleMs: 0 }],
  ])('does not hold for a program that %s', async (_, hello) => {
    const user = `free${Object.keys(hello).length}`;
    await ask(admin(), 'POST', `${org}/licenses`, { body: { user, idleExempt: true } });
    const desktop = await Desktop.hello(port(), user, 'pc', hello);
    expect((await desktop.told('welcome')).idle).toBeUndefined();
    const leases = () => desktop.received.filter(({ type }) => type === 'lease').length;
    await eventually(() => leases() >= 8 || desktop.closed !== null);
    expect(desktop.closed).toBeNull();
    desktop.ws.terminate();
  });

  it('is not begun anew by a resume, on another node', async () => {
    const first = await Desktop.hello(port(0), 'resi', 'pc', { idleMs: 0 });
    await first.told('welcome');
    first.ws.terminate();
    const { sessionId, epoch } = await first.told('welcome');
    const again = await Desktop.hello(port(1), 'resi', 'pc', {
      onConflict: 'deny',
      resume: { sessionId, epoch },
      idleMs: LIMIT_MS + 1,
    });
    expect((await again.told('welcome')).resumed).toBe(true);
    expect(await again.close()).toEqual({ code: 4517, reason: 'idle_timeout' });
  });

  it('without one, an idle program is shown and not ended; a report costs one write, and none without news', async () => {
    await setLimit(null);
    const desktop = await Desktop.hello(port(), 'shown', 'pc', { idleMs: 90_000 });
    expect((await desktop.told('welcome')).idle).toBeUndefined();
    const idleMs = async () => {
      const { body } = await ask(admin(), 'GET', `${org}/sessions/shown`);
      return Date.now() - Date.parse(body.activeAt);
    };
    expect(await idleMs()).toBeGreaterThan(85_000);
    const told = await redis.client.zscore('soleseat:{acme}:idle', 'shown');
    const leases = () => desktop.received.filter(({ type }) => type === 'lease').length;
    const seen = leases();
    await eventually(() => leases() > seen + 2);
    expect(await redis.client.zscore('soleseat:{acme}:idle', 'shown')).toBe(told);
    desktop.say({ type: 'activity', idleMs: 10 });
    await eventually('the report is shown', async () => (await idleMs()) < 60_000);
    expect(desktop.closed).toBeNull();
    desktop.ws.terminate();
  });

  it('ends one of two machines that race at the deadline, whoever is first, and tells everybody', async () => {
    for (let round = 0; round < 5; round += 1) {
      const user = `racer${round}`;
      const held = await Desktop.hello(port(0), user, 'pc', { idleMs: LIMIT_MS - 300 });
      await held.told('welcome');
      await new Promise((resolve) => setTimeout(resolve, 280 + round * 8));
      const other = await Desktop.hello(port(1), user, 'laptop', { idleMs: 0 });
      const { sessionId } = await other.told('welcome');
      await held.close();
      const reason = held.find('evicted')?.reason;
      expect(['idle_timeout', 'taken_over']).toContain(reason);
      expect(await endedBy(user)).toEqual([reason]);
      const { body } = await ask(admin(), 'GET', `${org}/sessions/${user}`);
      expect(body.sessionId).toBe(sessionId);
      other.ws.terminate();
    }
  });

  it.each([0, 999, -1, 1.5, '2000', 31 * 86_400_000])('of %s is refused by its name', async (idleLimitMs) => {
    const answer = await ask(admin(), 'PATCH', org, { body: { idleLimitMs } });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('idleLimitMs');
  });
});

it('a program that was idle for longer than the limit while Redis was away is ended when Redis is back', async () => {
  const desktop = await Desktop.hello(port(), 'away', 'pc', { idleMs: 1000 });
  await desktop.told('welcome');
  redis.process.kill('SIGSTOP');
  try {
    await desktop.told('jeopardy');
    await desktop.told('idle_warning');
    expect(desktop.closed).toBeNull();
  } finally {
    redis.process.kill('SIGCONT');
  }
  expect(await desktop.close()).toEqual({ code: 4517, reason: 'idle_timeout' });
});
