import { describe, expect, it, onTestFinished } from 'vitest';
import { SCHEMA } from '../../src/store/schema.js';
import { ask } from '../support/admin.js';
import { eventually } from '../support/eventually.js';
import { SECRET } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { Work } from '../support/old-and-new.js';
import { olderVersion } from '../support/older-version.js';
import { useRedis } from '../support/redis.js';
import { storeOn } from '../support/store.js';

/** Versions of the data, and the last commit of each that was in use. */
const versions = [
  { schema: '0.1', commit: '1ab09e8' },
  { schema: '0.2', commit: '7a1321e' },
] as const;

const ROUNDS = 4;
const places = [0, 1];
const TIME_LIMIT_MS = 600_000;
const redis = useRedis();

/** What both versions know. */
const texts = {
  SOLESEAT_LEASE_TTL_MS: '30000',
  SOLESEAT_RENEW_EVERY_MS: '2000',
  SOLESEAT_COMMAND_TIMEOUT_MS: '5000',
  SOLESEAT_JWT_SECRET: SECRET,
  SOLESEAT_TAKEOVERS_PER_MINUTE: '0',
  SOLESEAT_HANDSHAKES_PER_ADDRESS: '0',
  SOLESEAT_DRAIN_MS: '500',
};

describe.each(versions)('version $schema ($commit)', ({ commit }) => {
  it('and this one replace each other under load, forward and back', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    await redis.client.flushall();
    const old = await olderVersion(commit);
    const start = async (main?: string) => {
      const node = await NodeProcess.start(redis.url, texts, main === undefined ? {} : { main });
      onTestFinished(() => node.kill());
      return node;
    };
    let nodes = [await start(old), await start(old)];
    const work = Work.begin(() => nodes);
    /** The newcomer is there before the other one leaves, as in a rolling update. */
    const replace = async (place: number, main?: string) => {
      const newcomer = await start(main);
      const leaving = nodes[place];
      nodes = nodes.with(place, newcomer);
      leaving?.signal('SIGTERM');
      expect(await leaving?.ended()).toBe(0);
      await work.goesOnFor(ROUNDS);
      expect(work.faults).toEqual([]);
    };
    await work.goesOnFor(ROUNDS);
    for (const main of [undefined, old, undefined]) {
      for (const place of places) await replace(place, main);
      // A node never writes a lower version than it found.
      expect(await redis.client.get('soleseat:schema')).toBe(SCHEMA);
    }
    await work.end();
    expect(work.faults).toEqual([]);
    for (const epochs of work.epochs.values())
      expect(epochs, 'each grant is above those before').toEqual([...new Set(epochs)].sort((a, b) => a - b));

    const last = await start();
    for (const org of ['acme', 'desk']) {
      const { body } = await ask(last, 'POST', `/v1/admin/orgs/${org}/recount`, { body: {} });
      expect(body, org).toMatchObject({ differences: [] });
    }
    // Nodes of 0.1 leave the totals behind, which the last one of this version then puts right.
    for (const one of nodes) await one.stop();
    const store = storeOn(redis.client);
    await eventually('the totals are right', async () => (await store.totals.check(false)).length === 0);
    // Every license that was issued by either version is in the list.
    const { body } = await ask(last, 'GET', '/v1/admin/orgs/desk/licenses?limit=500');
    const revoked = work.issued.filter((_, round) => round % 4 === 0);
    const listed = body.items.map(({ user }: { user: string }) => user);
    expect(listed.filter((user: string) => revoked.slice(0, -1).includes(user))).toEqual([]);
    const kept = work.issued.slice(0, -1).filter((user) => !revoked.includes(user));
    expect(listed).toEqual(expect.arrayContaining(kept));
  });
});
