import { beforeEach, describe, expect, it } from 'vitest';
import { keyNames } from '../../src/store/keys.js';
import type { LicenseAnswer } from '../../src/store/license-types.js';
import type { Store } from '../../src/store/store.js';
import { useRedis } from '../support/redis.js';
import { claimFor, issueTo, ORG, orderFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const redis = useRedis();
let store: Store;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client, { licenseMode: 'required' });
});

const noteOf = async (user: string) => (await store.licenses.get(ORG, user))?.note;
const done = async (answer: Promise<LicenseAnswer>) => expect((await answer).outcome).toBe('done');
const typesOf = async () => (await store.events.page(ORG, {}, null, 50)).items.map(({ type }) => type);

describe('the note of a license', () => {
  beforeEach(() => issueTo(store, 'ann', { note: 'room 12' }));

  it.each(['suspend', 'revoke'] as const)('stays when somebody %ss without a note', async (change) => {
    await done(store.licenses[change](orderFor('ann')));
    expect(await noteOf('ann')).toBe('room 12');
  });

  it('stays when it is reinstated or gets another end, and is replaced by another note', async () => {
    await done(store.licenses.suspend({ ...orderFor('ann'), note: 'on leave' }));
    expect(await noteOf('ann')).toBe('on leave');
    await done(store.licenses.reinstate(orderFor('ann')));
    await done(store.licenses.setExpiry({ ...orderFor('ann'), expiresAt: Date.now() + 1e9 }));
    expect(await noteOf('ann')).toBe('on leave');
  });

  it('goes with the license to another user, unless that brings another one', async () => {
    await done(store.licenses.transfer({ ...orderFor('ann'), to: 'bea' }));
    expect([await noteOf('bea'), await store.licenses.get(ORG, 'ann')]).toEqual(['room 12', null]);
    await done(store.licenses.transfer({ ...orderFor('bea'), to: 'cas', note: 'by mail' }));
    expect(await noteOf('cas')).toBe('by mail');
  });

  it('is changed and taken away by itself, with an act that says so', async () => {
    await done(store.licenses.annotate({ ...orderFor('ann'), note: 'room 14' }));
    expect(await noteOf('ann')).toBe('room 14');
    await done(store.licenses.annotate({ ...orderFor('ann'), note: '' }));
    expect(await noteOf('ann')).toBe(null);
    // Once more changes nothing, and writes nothing.
    await done(store.licenses.annotate({ ...orderFor('ann'), note: '' }));
    expect(await typesOf()).toEqual(['license.noted', 'license.noted', 'license.issued']);
    expect((await store.licenses.annotate({ ...orderFor('nobody'), note: 'x' })).outcome).toBe('refused');
    expect(await redis.client.exists(keys.license(ORG, 'nobody'))).toBe(0);
  });

  it('of a license issued anew is not the one of before', async () => {
    await done(store.licenses.revoke(orderFor('ann')));
    await issueTo(store, 'ann');
    expect(await noteOf('ann')).toBe(null);
  });
});

describe('a hold', () => {
  const hold = (holdMs: number) => store.users.hold({ ...orderFor('ann'), holdMs, note: 'why' });

  it('keeps a user out, names who did it, and is lifted', async () => {
    await issueTo(store, 'ann');
    expect(await hold(60_000)).toBeGreaterThan(Date.now());
    expect(await claimFor(store, 'ann', { id: 'desk' })).toMatchObject({ reason: 'evicted_by_admin' });
    expect((await store.users.about(ORG, 'ann')).hold).toMatchObject({ actor: 'root', note: 'why' });
    expect(await hold(0)).toBe(null);
    expect((await store.users.about(ORG, 'ann')).hold).toBe(null);
    expect((await claimFor(store, 'ann', { id: 'desk' })).outcome).toBe('granted');
    // Nobody is held: nothing to lift, and no act.
    await hold(0);
    expect((await typesOf()).filter((type) => type === 'user.held')).toHaveLength(2);
  });

  it('is also of a user without a license, who is known by it', async () => {
    expect(await store.users.about(ORG, 'ann')).toEqual({ isKnown: false, hold: null });
    await hold(60_000);
    expect((await store.users.about(ORG, 'ann')).isKnown).toBe(true);
    expect(await store.licenses.get(ORG, 'ann')).toBe(null);
  });
});
