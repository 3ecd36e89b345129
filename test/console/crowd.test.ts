import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KeyNames } from '../../src/store/keys.js';
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
  const keys = new KeyNames('soleseat:');
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
