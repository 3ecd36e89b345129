import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../packages/client/src/protocol/messages.js';
import { keyNames } from '../../src/store/keys.js';
import type { ClaimRequest } from '../../src/store/lease-types.js';
import { useRedis } from '../support/redis.js';
import { ORG, requestFor, storeOn } from '../support/store.js';

const MIB = 1024 * 1024;
const CLAIMS_PER_MINUTE = 120;
const keys = keyNames('soleseat:');
const redis = useRedis();
const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');

/** The longest name that a user can have. */
const USER = 'u'.repeat(256);
/** The longest text that a program may send, of what takes most room as JSON. */
const longest = (index: number) => `${index}`.padEnd(128, '"');
const machineOf = (index: number): Machine => ({
  ...{ id: longest(index), name: longest(index), os: longest(index), kind: 'physical' },
});
const clientText = JSON.stringify({ name: longest(0), version: longest(1) });
const program = (index: number): Partial<ClaimRequest> => ({
  ...{ instance: longest(index), attempt: 1, clientText, address: `2001:db8:${'ffff:'.repeat(5)}ffff` },
});

beforeEach(async () => {
  await redis.client.flushall();
});

const storeFor = (more: Parameters<typeof storeOn>[1] = {}) =>
  storeOn(redis.client, { eventsKept: 250_000, ...more });
const claim = (store: ReturnType<typeof storeFor>, index: number, more: Partial<ClaimRequest> = {}) =>
  store.leases.claim(requestFor(USER, machineOf(index), { ...program(index), ...more }));

/** Every key that is of this user alone, and the records of the claims. */
async function bytesOfUser(): Promise<number> {
  const all = await redis.client.keys('*');
  const own = all.filter((key) => key.endsWith(`:${USER}`) || key.includes(':request:'));
  const sizes = await Promise.all(own.map((key) => redis.client.memory('USAGE', key, 'SAMPLES', 0)));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

describe('what one user can put into Redis (promise 16)', () => {
  it('is bounded: every list full, of the longest texts, is no more than docs/security.md says', async () => {
    const [, stated] = /at most (\d+) MiB/.exec(page) ?? [];
    const store = storeFor();
    await store.orgs.change(ORG, { addresses: 'keep' }, 'root');
    for (let i = 0; i < 300; i++) {
      await claim(store, i);
      // The same machine under another name at once: a copied one.
      const copy = { ...machineOf(i), name: longest(i + 1000) };
      await store.leases.claim(requestFor(USER, copy, { ...program(i), instance: longest(i + 1000) }));
    }
    // Sessions of their own fill the rest of the history: the last lines again and again, under new ids.
    const lines = await redis.client.xrevrange(keys.history(ORG, USER), '+', '-', 'COUNT', 1);
    const line = lines[0]?.[1] ?? [];
    const many = redis.client.pipeline();
    for (let i = 0; i < 5_500; i++) many.xadd(keys.history(ORG, USER), '*', ...line);
    await many.exec();
    await claim(store, 0);
    expect(await redis.client.xlen(keys.history(ORG, USER))).toBe(5_000);
    expect(await redis.client.zcard(keys.machines(ORG, USER))).toBe(256);
    expect(await redis.client.hlen(keys.machineNotes(ORG, USER))).toBe(256);
    expect(await redis.client.hlen(keys.machineDoubles(ORG, USER))).toBeLessThanOrEqual(256);
    const bytes = await bytesOfUser();
    expect(bytes / MIB).toBeLessThan(Number(stated));
    expect(bytes / MIB, 'the page tells of much more than there is').toBeGreaterThan(Number(stated) / 2);
  });

  it('is at most two events a claim, and two for all refusals of a minute', async () => {
    const store = storeFor({ claimsPerMinute: CLAIMS_PER_MINUTE, takeoversPerMinute: 20 });
    const minute = async () => Math.floor(Number((await redis.client.time())[0]) / 60);
    const before = await minute();
    const outcomes: string[] = [];
    for (let i = 0; i < 2 * CLAIMS_PER_MINUTE; i++)
      outcomes.push((await claim(store, 0, { instance: longest(i) })).outcome);
    // A machine that is busy may take longer than a minute for them.
    const minutes = (await minute()) - before + 1;
    const granted = outcomes.filter((one) => one === 'granted').length;
    expect(granted).toBeGreaterThanOrEqual(CLAIMS_PER_MINUTE);
    expect(granted).toBeLessThanOrEqual(CLAIMS_PER_MINUTE * minutes);
    const events = await redis.client.xlen(keys.events(ORG));
    expect(events).toBeGreaterThan(granted);
    expect(events).toBeLessThanOrEqual(2 * granted + 2 * minutes);
  });

  it('ends by itself, but for the rows that name the user', async () => {
    const store = storeFor();
    await claim(store, 0);
    await claim(store, 0, { onConflict: 'deny', instance: longest(7) });
    const all = await redis.client.keys('*');
    const own = all.filter((key) => key.endsWith(`:${USER}`) || key.includes(':request:'));
    expect(own.length).toBeGreaterThan(5);
    const lasting = await Promise.all(
      own.map(async (key) => ((await redis.client.pttl(key)) < 0 ? key : '')),
    );
    expect(lasting.filter(Boolean)).toEqual([]);
  });
});
