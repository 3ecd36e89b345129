import { afterAll, beforeAll, expect, it } from 'vitest';
import { ORG, openStage, type Stage, signIn } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(async () => {
  await stage?.close();
});

it('an import names its bad lines, then issues all, and what it issued can be exported', async () => {
  await stage.node.store.orgs.change(ORG, { quota: 5000 }, 'test');
  const { page, errors } = await signIn(stage, { place: `#/${ORG}/licenses` });
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
  expect((await stage.node.store.orgs.counts(ORG)).issued).toBe(0);

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
  expect(download.suggestedFilename()).toMatch(/licenses\.csv$/);
  expect(errors).toEqual([]);
});
