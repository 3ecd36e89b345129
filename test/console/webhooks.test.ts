import { afterAll, beforeAll, expect, it } from 'vitest';
import { ORG, openStage, type Stage, signIn } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

it('an owner registers a URL, sees the secret once, is told what is wrong, and removes it', async () => {
  const { page, errors } = await signIn(stage, { role: 'owner', place: `#/${ORG}/webhooks` });
  await page.getByRole('button', { name: 'Register URL' }).click();
  await page.getByLabel('URL', { exact: true }).fill('https://10.0.0.1/');
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByRole('alert').filter({ hasText: 'no public address' }).waitFor();
  await page.getByLabel('URL', { exact: true }).fill('https://example.com/hooks');
  await page.getByLabel('Types').fill('license.revoked, session.ended');
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByText(/^whsec_/).waitFor();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  await page.getByText('license.revoked, session.ended').waitFor();
  expect(await page.getByText(/whsec_/).count()).toBe(0);
  await page.getByLabel('Change the webhook at example.com').click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('paused', { exact: true }).waitFor();
  await page.getByLabel('Change the webhook at example.com').click();
  await page.getByRole('button', { name: 'Remove…' }).click();
  await page.getByRole('button', { name: 'Remove webhook' }).click();
  await page.getByText('No webhooks yet').waitFor();
  // The refusal of the private address is one that the browser notes.
  expect(errors.filter((text) => !text.includes('422'))).toEqual([]);
});

it('no other role is shown the page', async () => {
  const { page } = await signIn(stage, { role: 'admin', org: ORG, place: `#/${ORG}/webhooks` });
  await page.getByText('Not for this token').waitFor();
  expect(await page.getByRole('link', { name: 'Webhooks' }).count()).toBe(0);
});
