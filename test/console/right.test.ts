import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPage } from '../support/browser.js';
import { adminTokenFor } from '../support/node.js';
import { giveToken, ORG, openStage, type Stage, signIn } from './stage.js';

let stage: Stage;
const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
const order = (user: string) => ({ org: ORG, user, actor: { name: 'olga', role: 'operator' } });
const issue = (user: string, note?: string) =>
  stage.node.store.licenses.issue({
    ...order(user),
    ...{ id: user, requestId: user },
    ...(note !== undefined && { note }),
  });

beforeAll(async () => {
  stage = await openStage();
  await issue('ada');
});
afterEach(() => stage.clear());
afterAll(() => stage?.close());

describe('an address that leads nowhere', () => {
  it.each([
    ['an unknown org', '#/amce/overview', 'There is no such org'],
    ['a page of an unknown org', '#/amce/users/ada', 'There is no such org'],
    ['an unknown page', `#/${ORG}/nonsense`, 'There is no such page'],
    ['a user’s page without a user', `#/${ORG}/users`, 'There is no such page'],
    ['a page with more behind it', `#/${ORG}/events/ada`, 'There is no such page'],
  ])('says so: %s', async (_, place, title) => {
    const { page } = await signIn(stage, { place });
    await heading(page, title);
    expect(await page.title()).toContain(title);
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('says so of a user of whom nothing is known, and offers a license', async () => {
    const { page } = await signIn(stage, { place: `#/${ORG}/users/newton` });
    await page.getByText('Nothing is known of “newton”').waitFor();
    await page.getByRole('button', { name: 'Issue a license to newton' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Issue license' }).click();
    await page.getByText('active', { exact: true }).waitFor();
  });
});

describe('the page of a user', () => {
  it('says who keeps the user out, until when and why, and lifts it', async () => {
    await stage.node.store.users.hold({ ...order('ada'), holdMs: 3_600_000, note: 'asked for by phone' });
    const { page } = await signIn(stage, { place: `#/${ORG}/users/ada`, role: 'operator' });
    const notice = page.getByText('Held:').locator('..');
    await notice.getByText('by olga: asked for by phone').waitFor();
    expect(await notice.textContent()).toMatch(/until in (1 hour|59 minutes)/);
    await page.getByText('Nor may this user come in.').waitFor();
    await page.getByRole('button', { name: 'Lift the hold' }).click();
    await page.getByText('Held:').waitFor({ state: 'detached' });
    expect((await stage.node.store.users.about(ORG, 'ada')).hold).toBe(null);
    await page.getByRole('button', { name: 'Hold…' }).click();
    await page.getByRole('button', { name: 'Hold ada' }).click();
    await page.getByText('Held:').waitFor();
  });

  it.each([
    ['Suspended', 'suspend'],
    ['Revoked', 'revoke'],
  ] as const)('says that the license is %s', async (word, change) => {
    await issue(word);
    await stage.node.store.licenses[change](order(word));
    const { page } = await signIn(stage, { place: `#/${ORG}/users/${word}` });
    await page.getByText(`${word}:`).waitFor();
    expect(await page.getByText('The seat is free').count()).toBe(0);
  });
});

describe('before it is known', () => {
  /** Opens a page whose questions to the API, but for who is signed in, are never answered. */
  async function unanswered(place: string): Promise<Page> {
    const { page } = await openPage(stage.browser);
    await page.route(/\/v1\/admin\/(orgs|live|nodes|webhooks)/, () => {});
    await page.goto(stage.url + place);
    await giveToken(page, adminTokenFor('owner', '*'));
    return page;
  }

  it.each([
    ['Overview', `#/${ORG}/overview`],
    ['Sessions', `#/${ORG}/sessions`],
    ['Licenses', `#/${ORG}/licenses`],
    ['Events', `#/${ORG}/events`],
    ['Nodes', `#/${ORG}/nodes`],
    ['Webhooks', `#/${ORG}/webhooks`],
    ['ada', `#/${ORG}/users/ada`],
    ['Orgs', '#/'],
  ])('%s states nothing', async (title, place) => {
    const page = await unanswered(place);
    await heading(page, title);
    const texts = await page.locator('main :not(:has(*))').allTextContents();
    expect(texts.join('\n')).not.toMatch(/\b(no|none|nobody|nothing|never|0|not)\b/i);
  });
});

describe('what was issued', () => {
  const firstRow = (page: Page) => page.getByRole('table', { name: 'Licenses' }).getByRole('row').nth(1);

  it('stands in the first row, from whatever page and filter it was issued', async () => {
    await stage.node.store.orgs.change(ORG, { quota: null }, 'test');
    for (let index = 0; index < 60; index++) await issue(`more-${index}`);
    const { page } = await signIn(stage, { place: `#/${ORG}/licenses` });
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Page 2').waitFor();
    await give(page, 'newest');
    await firstRow(page).getByText('newest', { exact: true }).waitFor();
    await page.goto(`${stage.url}#/${ORG}/licenses?show=suspended`);
    await give(page, 'last');
    await firstRow(page).getByText('last', { exact: true }).waitFor();
  });

  async function give(page: Page, user: string): Promise<void> {
    await page.getByRole('button', { name: 'Issue license' }).click();
    await page.getByRole('dialog').getByLabel('User').fill(user);
    await page.getByRole('dialog').getByRole('button', { name: 'Issue license' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
});

describe('an exported file', () => {
  const day = (zone: string) => new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(new Date());

  it('is named after the org and its day', async () => {
    await stage.node.store.orgs.change(ORG, { timeZone: 'Pacific/Kiritimati' }, 'test');
    const { page } = await signIn(stage, { place: `#/${ORG}/licenses` });
    const nameOf = async (place: string) => {
      await page.goto(stage.url + place);
      const link = page.getByRole('link', { name: /^Export/ }).first();
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
      return download.suggestedFilename();
    };
    const today = day('Pacific/Kiritimati');
    expect(await nameOf(`#/${ORG}/licenses`)).toBe(`${ORG}-licenses-${today}.csv`);
    expect(await nameOf(`#/${ORG}/events`)).toBe(`${ORG}-events-${today}.ndjson`);
    expect(await nameOf(`#/${ORG}/sessions`)).toBe(`${ORG}-sessions-${today}.csv`);
    expect(await nameOf(`#/${ORG}/users/ada`)).toBe(`${ORG}-ada-sessions-${today}.csv`);
    await stage.node.store.orgs.change(ORG, { timeZone: null }, 'test');
  });
});

describe('a table with long names and notes', () => {
  const long = 'w'.repeat(256);

  it.each([1280, 390])('keeps its actions in reach at %d px', async (width) => {
    await issue(long, 'n'.repeat(256)).catch(() => {});
    const context = { viewport: { width, height: 860 } };
    const { page } = await signIn(stage, { place: `#/${ORG}/licenses`, context });
    const menu = page.getByLabel(`Change the license of ${long}`);
    await menu.waitFor();
    const box = await menu.boundingBox();
    expect((box?.x ?? width) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const status = await page.getByRole('row').filter({ hasText: long }).locator('.badge').boundingBox();
    expect(status?.height ?? 99).toBeLessThan(32);
  });
});
