import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ImportEvent, runImport } from '../../src/license/import.js';
import { readImport } from '../../src/license/read-import.js';
import { recount } from '../../src/license/recount.js';
import { keyNames } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis.js';
import { issueTo, ORG, orderFor, storeOn } from '../support/store.js';

const keys = keyNames('soleseat:');
const redis = useRedis();
let store: Store;
let ids = 0;

beforeEach(async () => {
  await redis.client.flushall();
  store = storeOn(redis.client);
});

const names = (count: number, prefix = 'user') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

function importOf(users: readonly string[], onEvent: (event: ImportEvent) => void = () => {}) {
  const lines = users.map((user, index) => ({ line: index + 2, user }));
  return runImport(store, { org: ORG, actor: 'root', lines }, () => `id${ids++}`, onEvent);
}

const issued = () => redis.client.zrange(keys.licensed(ORG), '0', '-1');

describe('an import that fails', () => {
  it('leaves nothing behind, though another import of the same users fails beside it', async () => {
    for (let round = 0; round < 3; round += 1) {
      await redis.client.flushall();
      const users = names(1000);
      const ends = await Promise.all([importOf(users), importOf([...users].reverse())]);
      const done = ends.filter(({ type }) => type === 'done').length;
      expect(await issued()).toHaveLength(done * users.length);
      expect((await recount(store, ORG, { repairBy: null })).differences).toEqual([]);
    }
  });

  it('leaves nothing behind, though the desk revokes other licenses while it is undone', async () => {
    const others = names(1000, 'other');
    await Promise.all(others.map((user) => issueTo(store, user)));
    await store.imports.begin(ORG, 'i1', 'root');
    await Promise.all(names(1000).map((user) => issueTo(store, user, { importId: 'i1' })));
    const revoking = (async () => {
      for (const user of others) await store.licenses.revoke(orderFor(user));
    })();
    await Promise.all([store.imports.undo(ORG, 'i1', 'root'), revoking]);
    expect(await issued()).toEqual([]);
  });

  it('leaves nothing behind, though two nodes undo it at once, of which one dies', async () => {
    await store.imports.begin(ORG, 'i1', 'root');
    await Promise.all(names(1000).map((user) => issueTo(store, user, { importId: 'i1' })));
    const dying = new Redis(redis.url, { retryStrategy: () => null });
    const first = storeOn(dying, { nodeId: 'n2' }).imports.undo(ORG, 'i1', 'root');
    const second = store.imports.undo(ORG, 'i1', 'root');
    await eventually(async () => (await issued()).length < 700);
    dying.disconnect();
    await Promise.allSettled([first]);
    await second;
    expect(await issued()).toEqual([]);
    const trail = await store.events.page(ORG, { type: 'license.import_undone' }, null, 5);
    expect(trail.items).toHaveLength(1);
  });
});

describe('reading a file', () => {
  /** How often other work had its turn meanwhile. */
  async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let next = setImmediate(function count() {
      turns += 1;
      next = setImmediate(count);
    });
    await work();
    clearImmediate(next);
    return turns;
  }

  it.each([
    ['many lines', 'user,expiresAt,note\n'.concat(...names(30_000).map((user) => `${user},,\n`))],
    ['many empty lines', `user\nada${'\n'.repeat(300_000)}`],
    ['one line of many cells', `user\nada${','.repeat(300_000)}`],
    ['long cells', `user\n${`"${'x'.repeat(4000)}"\n`.repeat(75)}`],
  ])('of %s lets other work have its turn', async (_, text) => {
    expect(await turnsDuring(() => readImport(text, { nowMs: Date.now(), timeZone: 'UTC' }))).toBeGreaterThan(
      10,
    );
  });

  it('takes bare commas for nothing', async () => {
    const text = `user\nada${','.repeat(10_000)}\ngrace\n,\n`;
    const { lines, faults } = await readImport(text, { nowMs: Date.now(), timeZone: 'UTC' });
    expect(lines.map(({ user }) => user)).toEqual(['ada', 'grace']);
    expect(faults.count).toBe(0);
  });
});
