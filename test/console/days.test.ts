import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ORG, openStage, type Stage, signIn } from './stage.js';

let stage: Stage;
const DAY = '2099-01-31';
/** Half past one in Berlin on that day: the day before in New York, and in London too. */
const MOMENT = Date.parse('2099-01-31T00:30:00Z');

beforeAll(async () => {
  stage = await openStage();
  const { orgs, licenses } = stage.node.store;
  await orgs.change(ORG, { timeZone: 'Europe/Berlin' }, 'test');
  const order = (user: string) => ({ org: ORG, user, id: user, requestId: user, actor: 'test' });
  await licenses.issue({ ...order('whole'), expiresOn: DAY, expiresAt: Date.parse('2099-01-31T23:00:00Z') });
  await licenses.issue({ ...order('within'), expiresAt: MOMENT });
  await licenses.issue(order('endless'));
});
afterEach(() => stage.clear());
afterAll(() => stage?.close());

describe.each(['America/New_York', 'Europe/Berlin', 'Asia/Tokyo', 'Pacific/Kiritimati'])(
  'in %s',
  (timezoneId) => {
    const open = async (place: string) => (await signIn(stage, { place, context: { timezoneId } })).page;

    it('a license ends on the same day, in the list and on the page of its user', async () => {
      const page = await open(`#/${ORG}/licenses`);
      const ends = (user: string) => page.getByRole('row', { name: new RegExp(`^${user}`) }).locator('.day');
      await page
        .getByRole('row', { name: /^whole/ })
        .getByText(DAY, { exact: true })
        .waitFor();
      expect(await ends('within').textContent()).toBe(`${DAY} 01:30`);
      for (const [user, text] of [
        ['whole', DAY],
        ['within', `${DAY} 01:30`],
      ] as const) {
        await page.goto(`${stage.url}#/${ORG}/users/${user}`);
        await page.getByText(text, { exact: true }).waitFor();
      }
    });

    it('the dialog shows the last full day, and saving it untouched moves nothing', async () => {
      const page = await open(`#/${ORG}/licenses`);
      for (const [user, day] of [
        ['whole', DAY],
        ['within', ''],
        ['endless', ''],
      ] as const) {
        const before = await stage.node.store.licenses.get(ORG, user);
        await page.getByLabel(`Change the license of ${user}`).click();
        await page.getByRole('button', { name: 'Change end date…' }).click();
        expect(await page.getByLabel('Last day').inputValue()).toBe(day);
        await page.getByRole('button', { name: 'Save' }).click();
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        expect(await stage.node.store.licenses.get(ORG, user)).toEqual(before);
      }
    });

    it('a time tells its zone, which is the org’s', async () => {
      const page = await open(`#/${ORG}/events`);
      await page.getByText('got a license').first().waitFor();
      await page.locator('time[title*="GMT+"]').first().waitFor();
      expect(await page.locator('time').first().getAttribute('title')).toMatch(/GMT\+[12]$/);
    });
  },
);
