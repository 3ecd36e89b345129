import { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ImportEvent, runImport } from '../../src/license/import.js';
import { recount } from '../../src/license/recount.js';
import { keyNames } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { fileOf, readWhole } from '../support/import-files.js';
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

const newId = () => `id${ids++}`;

/** Null: another import is under way. */
async function importOf(users: readonly string[], onEvent: (event: ImportEvent) => void = () => {}) {
  const importId = newId();
  if (!(await store.imports.begin(ORG, importId, 'root'))) return null;
  return runImport(store, { org: ORG, actor: 'root', ...fileOf(users) }, { importId, newId }, onEvent);
}

const issued = () => redis.client.zrange(keys.licensed(ORG), '0', '-1');

describe('an import that fails', () => {
  it('is one of its org at a time: another is refused before it has issued anything', async () => {
    const users = names(1000);
    const ends = await Promise.all([importOf(users), importOf([...users].reverse())]);
    expect(ends).toEqual([{ type: 'done', issued: 1000 }, null]);
    expect(await issued()).toHaveLength(1000);
    expect((await recount(store, ORG, { repairBy: null })).differences).toEqual([]);
    expect(await importOf(['ada'])).toEqual({ type: 'done', issued: 1 });
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
  it.each([
    ['many lines', 'user,expiresAt,note\n'.concat(...names(30_000).map((user) => `${user},,\n`)), 30_000, 0],
    ['many empty lines', `user\nada${'\n'.repeat(300_000)}`, 1, 0],
    ['one line of many cells', `user\nada${','.repeat(300_000)}`, 1, 0],
    ['one line of many full cells', `user\nada${',x'.repeat(300_000)}`, 0, 1],
    ['long cells', `user\n${`"${'x'.repeat(4000)}"\n`.repeat(75)}`, 0, 75],
    ['more lines than may be', 'user\n'.concat(...names(6).map((user) => `${user}\n`)), 5, 1],
  ])('of %s comes to its end', async (what, text, good, bad) => {
    const rules = what.startsWith('more') ? { maxLines: 5 } : {};
    const { lines, faults } = await readWhole(text, rules);
    expect([lines.length, faults.count]).toEqual([good, bad]);
  });

  it('takes bare commas for nothing', async () => {
    const text = `user\nada${','.repeat(10_000)}\ngrace\n,\n`;
    const { lines, faults } = await readWhole(text);
    expect(lines.map(({ user }) => user)).toEqual(['ada', 'grace']);
    expect(faults.count).toBe(0);
  });
});
