import { beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../packages/client/src/protocol/messages.js';
import type { ClaimRequest } from '../../src/store/lease-types.js';
import type { Store } from '../../src/store/store.js';
import { useRedis } from '../support/redis.js';
import { ORG, requestFor, storeOn } from '../support/store.js';

const redis = useRedis();
let store: Store;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client);
});

const named = (name?: string): Machine => ({ id: 'cloned', ...(name !== undefined && { name }) });
const claim = (machine: Machine, more: Partial<ClaimRequest> = {}) =>
  store.leases.claim(requestFor('ann', machine, more));
const doubles = async () => (await store.machines.of(ORG, 'ann')).map(({ double }) => double?.names);

describe('one machine id with two names at once', () => {
  it('is a double, with both names and the time', async () => {
    const before = Date.now();
    await claim(named('studio'));
    expect(await doubles()).toEqual([undefined]);
    await claim(named('render farm'));
    const [machine] = await store.machines.of(ORG, 'ann');
    expect(machine?.double?.names).toEqual(['studio', 'render farm']);
    expect(machine?.double?.at).toBeGreaterThanOrEqual(before);
    expect(machine?.machine.name).toBe('render farm');
  });

  it('is one too where the second process only asks, and is told of the conflict', async () => {
    await claim(named('studio'));
    expect((await claim(named('render farm'), { onConflict: 'deny' })).outcome).toBe('conflict');
    expect(await doubles()).toEqual([['studio', 'render farm']]);
  });

  it.each([
    ['another machine', { id: 'other', name: 'lap' }],
    ['the same name', named('studio')],
    ['no name', named()],
  ])('is none with %s', async (_, machine) => {
    await claim(named('studio'));
    await claim(machine);
    expect((await doubles()).filter(Boolean)).toEqual([]);
  });

  it('is none where the name changed between two sessions, or within one', async () => {
    const first = await claim(named('studio'), { instance: 'i1' });
    if (first.outcome !== 'granted') throw new Error(first.outcome);
    await claim(named('studio.lan'), { instance: 'i1', attempt: 2 });
    await store.leases.evict({ org: ORG, user: 'ann', actor: 'root', reason: 'evicted_by_admin' });
    await claim(named('studio'), { instance: 'i2' });
    expect(await doubles()).toEqual([undefined]);
  });

  it('is not noted by a claim without the right to a session', async () => {
    await claim(named('studio'));
    await redis.client.hset(`soleseat:{${ORG}}:settings`, 'machine:cloned', 'deny');
    expect((await claim(named('render farm'))).outcome).toBe('denied');
    expect(await doubles()).toEqual([undefined]);
  });

  it('is forgotten after 30 days, and with the machine', async () => {
    await claim(named('studio'));
    await claim(named('render farm'));
    const key = `soleseat:{${ORG}}:machine-doubles:ann`;
    const days = (await redis.client.pttl(key)) / 86_400_000;
    expect(days).toBeGreaterThan(29);
    expect(days).toBeLessThanOrEqual(30);
    const others = Array.from({ length: 256 }, (_, index) => [String(Date.now() + 60_000), `m${index}`]);
    await redis.client.zadd(`soleseat:{${ORG}}:machines:ann`, ...others.flat());
    await claim({ id: 'one more' });
    expect(await redis.client.exists(key)).toBe(0);
  });
});
