import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { storeOn } from '../support/store.js';

const redis = useRedis();
const nodes = () => [storeOn(redis.client).costly, storeOn(redis.client).costly] as const;

/** Work that ends when it is told to. */
function slowWork<T>(answer: T) {
  let begun = 0;
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const work = async () => {
    begun += 1;
    await ended;
    return answer;
  };
  return { work, end: () => end(), begun: () => begun };
}

describe('what costs much', () => {
  it('has one budget of a minute over all nodes', async () => {
    const [one, other] = nodes();
    const counts = [];
    for (const node of [one, other, one]) counts.push((await node.count('joan exports')).count);
    expect(counts).toEqual([1, 2, 3]);
    const { count, leftMs } = await other.count('ben exports');
    expect(count).toBe(1);
    expect(leftMs).toBeGreaterThan(50_000);
    const keys = await redis.client.keys('soleseat:budget:*');
    expect(keys.length).toBe(2);
    for (const key of keys) expect(await redis.client.pttl(key)).toBeGreaterThan(0);
  });

  it('is recounted once at a time over all nodes: others get the same answer', async () => {
    const [one, other] = nodes();
    const first = slowWork({ differences: ['issued'] });
    const never = slowWork({ differences: ['wrong'] });
    const running = one.recount('acme', false, first.work);
    await eventually(() => first.begun() === 1);
    const [here, there] = [one.recount('acme', false, never.work), other.recount('acme', false, never.work)];
    // Other orgs do not wait.
    expect(await other.recount('other', false, async () => 'at once')).toBe('at once');
    first.end();
    expect(await Promise.all([running, here, there])).toEqual(
      Array.from({ length: 3 }, () => ({ differences: ['issued'] })),
    );
    expect(never.begun()).toBe(0);
    // The next one counts anew.
    expect(await other.recount('acme', false, async () => 'anew')).toBe('anew');
  });

  it('is repaired after a recount that only looks, and a look gets the answer of a repair', async () => {
    const [one, other] = nodes();
    const look = slowWork('looked');
    const looking = one.recount('acme', false, look.work);
    await eventually(() => look.begun() === 1);
    const repair = slowWork('repaired');
    const repairing = other.recount('acme', true, repair.work);
    look.end();
    expect(await looking).toBe('looked');
    await eventually(() => repair.begun() === 1);
    const late = one.recount('acme', false, async () => 'looked again');
    repair.end();
    expect(await Promise.all([repairing, late])).toEqual(['repaired', 'repaired']);
  });

  it('is let through where Redis has no memory left to note it', async () => {
    const [one] = nodes();
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      expect((await one.count('joan exports')).count).toBe(0);
      expect(await one.recount('acme', false, async () => 'counted')).toBe('counted');
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
  });

  it('goes on where a recount fails, and where its node has died', async () => {
    const [one, other] = nodes();
    const look = slowWork('never');
    const failing = one.recount('acme', false, async () => {
      await look.work();
      throw new Error('on purpose');
    });
    await eventually(() => look.begun() === 1);
    const waiting = other.recount('acme', false, async () => 'counted');
    look.end();
    await expect(failing).rejects.toThrow('on purpose');
    expect(await waiting).toBe('counted');
    await redis.client.set('soleseat:{acme}:recount', 'look:of-a-node-that-died', 'PX', 700);
    expect(await other.recount('acme', false, async () => 'counted')).toBe('counted');
  });
});
