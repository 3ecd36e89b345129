import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPage } from '../support/browser.js';
import { Desktop } from '../support/desktop.js';
import { adminTokenFor } from '../support/node.js';
import { ORG, openStage, type Stage } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

/** What has the focus, as a screen reader would name it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLElement;
    const labels = (element as HTMLInputElement).labels;
    return element.getAttribute('aria-label') ?? labels?.[0]?.textContent ?? element.textContent ?? '';
  });
}

/** Waits until that has the focus: what a key does is drawn a little later. */
async function hasFocus(page: Page, name: string): Promise<void> {
  await expect.poll(() => focused(page), { timeout: 30_000 }).toBe(name);
}

/** Presses Tab until something of that name has the focus, and gives whether one can see that it has. */
async function tabTo(page: Page, name: string): Promise<boolean> {
  const passed: string[] = [];
  do {
    if (passed.length > 40) throw new Error(`${name} is not reached; passed: ${passed.join(', ')}`);
    await page.keyboard.press('Tab');
    passed.push((await focused(page)).trim());
  } while (passed.at(-1) !== name);
  return page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement as Element);
    return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
  });
}

it('everything can be done by keyboard alone, and one always sees where one is', async () => {
  const ada = await Desktop.hello(stage.node.ports.public, 'ada', 'workstation');
  await ada.told('welcome');
  const { page } = await openPage(stage.browser);
  const { keyboard } = page;
  await page.goto(`${stage.url}#/${ORG}/overview`);
  await page.getByLabel('Admin token').waitFor();
  expect(await tabTo(page, 'Admin token')).toBe(true);
  await keyboard.insertText(adminTokenFor());
  await keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();

  // The first stop leads past the navigation.
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  expect(await tabTo(page, 'Skip to content')).toBe(true);
  await keyboard.press('Enter');
  await expect.poll(() => page.evaluate(() => document.activeElement?.id), { timeout: 30_000 }).toBe('main');

  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  expect(await tabTo(page, 'Sessions')).toBe(true);
  await keyboard.press('Enter');
  await page.getByRole('row', { name: /^ada/ }).waitFor();
  // A new page is told of: its title has the focus.
  await hasFocus(page, 'Sessions');
  await keyboard.press('/');
  await hasFocus(page, 'Find a user');
  await keyboard.type('ad');
  expect(await tabTo(page, 'Evict ada')).toBe(true);
  await keyboard.press('Enter');
  await hasFocus(page, 'Reason');
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await hasFocus(page, 'Evict ada');
  await keyboard.press('Enter');
  await hasFocus(page, 'Reason');
  await keyboard.type('by keyboard');
  await keyboard.press('Enter');
  expect((await ada.close()).code).toBe(4510);
  // The row is gone, and with it the button that opened the dialog: the focus is not lost.
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await hasFocus(page, 'Sessions');
  await page.getByRole('status').filter({ hasText: 'ada was evicted' }).waitFor();
});

it('a menu opens and closes by keyboard, and gives the focus back after its dialog', async () => {
  await stage.node.store.licenses.issue({
    org: ORG,
    user: 'grace',
    actor: 'test',
    id: 'l1',
    requestId: 'r1',
  });
  const { page } = await openPage(stage.browser);
  const { keyboard } = page;
  await page.goto(`${stage.url}#/${ORG}/licenses`);
  await page.getByLabel('Admin token').fill(adminTokenFor());
  await keyboard.press('Enter');
  await page.getByRole('row', { name: /^grace/ }).waitFor();
  await tabTo(page, 'Change the license of grace');
  await keyboard.press('Enter');
  await tabTo(page, 'Suspend…');
  await keyboard.press('Escape');
  await page.getByRole('button', { name: 'Suspend…' }).waitFor({ state: 'hidden' });
  await hasFocus(page, 'Change the license of grace');
  await keyboard.press('Enter');
  await tabTo(page, 'Revoke…');
  await keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Revoke the license of grace?' }).waitFor();
  await keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await hasFocus(page, 'Change the license of grace');
});
