import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keyNames } from '../../src/store/keys.js';
import { eventually } from '../support/eventually.js';
import { figure, ORG, openStage, type Stage, signIn } from './stage.js';

const CROWD = 100_000;
const SINCE_MS = 1_790_000_000_000;
const HOUR_MS = 3_600_000;

/** What claims would leave behind, without as many claims: leases, and the set of who is in. */
const seed = `
  local now = redis.call('TIME')[1] * 1000
  for i = 0, tonumber(ARGV[1]) - 1 do
    local user = string.format('user-%05d', i)
    local lease = string.format('s%05d:%.0f:some-node:${SINCE_MS}:{"id":"m%05d","name":"desk %05d"}', i, i + 1, i, i)
    redis.call('SET', KEYS[2] .. user, lease, 'PX', ${HOUR_MS})
    redis.call('ZADD', KEYS[1], now + ${HOUR_MS}, user)
  end`;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  const keys = keyNames('soleseat:');
  const redis = new Redis(stage.redis.url);
  await redis.eval(seed, 2, keys.active(ORG), keys.lease(ORG, ''), CROWD);
  redis.disconnect();
});
afterAll(async () => {
  await stage?.close();
});

it('100,000 sessions are counted, paged and searched, fifty rows at a time', async () => {
  const { page, errors } = await signIn(stage);
  await eventually(async () => (await figure(page, 'active')) === '100,000');
  await page.getByRole('link', { name: 'Sessions' }).click();
  const rows = page.getByRole('table').getByRole('row');
  await rows.nth(50).waitFor();
  expect(await rows.count()).toBe(51);
  const first = await rows.nth(1).textContent();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByText('Page 2').waitFor();
  await page.getByRole('table').and(page.locator('[aria-busy="false"]')).waitFor();
  expect(await rows.nth(1).textContent()).not.toBe(first);
  // Wherever the server's walk through all of them meets the one.
  for (const number of ['09999', '31415', '50000', '77777']) {
    await page.getByLabel('Find a user').fill(`user-${number}`);
    await page.getByRole('row', { name: new RegExp(`^user-${number} desk ${number}`) }).waitFor();
    expect(await rows.count()).toBe(2);
  }
  expect(errors).toEqual([]);
});

it('an import names its bad lines, then issues all, and what it issued can be exported', async () => {
  await stage.node.store.orgs.change('large', { quota: 5000 }, 'test');
  const { page, errors } = await signIn(stage, { place: '#/large/licenses' });
  await page.getByRole('button', { name: 'Import' }).click();
  const dialog = page.getByRole('dialog', { name: 'Import licenses' });
  const choose = (lines: readonly string[]) =>
    dialog.getByLabel('CSV file').setInputFiles({
      name: 'staff.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(['user,expiresAt,note', ...lines, ''].join('\n')),
    });
  await choose(['ada,,', 'grace,yesterday,', 'ada,,twice']);
  await dialog.getByText('3 users in this file').waitFor();
  await dialog.getByRole('button', { name: 'Import licenses' }).click();
  await dialog.getByRole('alert').getByText('Line 3').waitFor();
  await dialog.getByRole('alert').getByText('Line 4').waitFor();
  expect((await stage.node.store.orgs.counts('large')).issued).toBe(0);

  // A program of the page's own notes what the bar shows, as it may be there for a moment only.
  await page.evaluate(() => {
    const seen = new Set<number>();
    (globalThis as unknown as { seen: Set<number> }).seen = seen;
    new MutationObserver(() => {
      const bar = document.querySelector('progress');
      if (bar !== null) seen.add(bar.value);
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
  await choose(Array.from({ length: 3000 }, (_, index) => `user-${index},,`));
  await dialog.getByRole('button', { name: 'Import licenses' }).click();
  await page.locator('.toast', { hasText: '3,000 licenses issued' }).waitFor();
  await page.getByText('3,000 of 5,000 issued, 2,000 left.').waitFor();
  const steps = await page.evaluate(() => (globalThis as unknown as { seen: Set<number> }).seen.size);
  expect(steps).toBeGreaterThan(3);

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Export' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^large-licenses-\d{4}-\d\d-\d\d\.csv$/);
  expect(errors).toEqual([]);
});
