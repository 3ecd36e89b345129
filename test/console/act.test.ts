import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Desktop } from '../support/desktop.js';
import { violations } from './axe.js';
import { ORG, openStage, type Stage, signIn } from './stage.js';

let stage: Stage;
const order = (user: string) => ({ org: ORG, user, actor: 'test' });
const issue = (user: string, note?: string) =>
  stage.node.store.licenses.issue({
    ...order(user),
    ...{ id: user, requestId: user },
    ...(note !== undefined && { note }),
  });
const license = (user: string) => stage.node.store.licenses.get(ORG, user);
const dialog = (page: Page) => page.getByRole('dialog');
const gone = (page: Page) => dialog(page).waitFor({ state: 'detached' });
const choose = async (page: Page, menu: string, item: string) => {
  await page.getByLabel(menu, { exact: true }).click();
  await page.getByRole('button', { name: item }).click();
};

beforeAll(async () => {
  stage = await openStage();
  await stage.node.store.orgs.change(ORG, { quota: null }, 'test');
});
afterEach(() => stage.clear());
afterAll(() => stage?.close());

describe('a license', () => {
  it('is issued from the page of a user, and again from a revoked row', async () => {
    await stage.node.store.users.hold({ ...order('ida'), holdMs: 60_000 });
    const { page } = await signIn(stage, { place: `#/${ORG}/users/ida` });
    await page.getByRole('button', { name: 'Issue license' }).click();
    await dialog(page).getByRole('button', { name: 'Issue license' }).click();
    await page.getByText('active', { exact: true }).waitFor();
    await stage.node.store.licenses.revoke(order('ida'));
    await page.goto(`${stage.url}#/${ORG}/licenses?show=revoked`);
    await choose(page, 'Change the license of ida', 'Issue again…');
    await dialog(page).getByRole('button', { name: 'Issue license' }).click();
    await gone(page);
    expect((await license('ida'))?.status).toBe('active');
  });

  it('keeps its note through a change without one, and gets another one or none', async () => {
    await issue('nora', 'room 12');
    const { page } = await signIn(stage, { place: `#/${ORG}/users/nora` });
    await choose(page, 'Change the license of nora', 'Suspend…');
    await dialog(page).getByRole('button', { name: 'Suspend license' }).click();
    await page.getByText('room 12', { exact: true }).waitFor();
    await page.getByText('suspended', { exact: true }).first().waitFor();
    await choose(page, 'Change the license of nora', 'Change note…');
    expect(await dialog(page).getByLabel('Note').inputValue()).toBe('room 12');
    await dialog(page).getByLabel('Note').fill('room 14');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await page.getByText('room 14', { exact: true }).waitFor();
    await choose(page, 'Change the license of nora', 'Change note…');
    await dialog(page).getByLabel('Note').fill('');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await gone(page);
    await page.getByText('room 14', { exact: true }).waitFor({ state: 'detached' });
    expect((await license('nora'))?.note).toBe(null);
  });
});

describe('many licenses', () => {
  it('are changed at once, by keyboard, with a result for each', async () => {
    for (const user of ['m1', 'm2', 'm3']) await issue(user);
    await stage.node.store.licenses.suspend(order('m2'));
    const { page, errors } = await signIn(stage, { place: `#/${ORG}/licenses` });
    for (const user of ['m1', 'm2', 'm3']) {
      await page.getByLabel(`Choose ${user}`).focus();
      await page.keyboard.press('Space');
    }
    await page.getByText('3 licenses chosen').waitFor();
    await page.getByRole('button', { name: 'Suspend…' }).focus();
    await page.keyboard.press('Enter');
    await dialog(page).getByLabel('Note').fill('closed for the summer');
    await page.keyboard.press('Enter');
    await dialog(page).getByText('2 of 3 done, 1 refused').waitFor();
    expect(await violations(page)).toEqual([]);
    const results = await dialog(page).getByRole('listitem').allTextContents();
    expect(results.sort()).toEqual(['m1done', 'm2the license is not in a status that allows this', 'm3done']);
    await dialog(page).getByRole('button', { name: 'Close' }).click();
    await gone(page);
    expect(await license('m1')).toMatchObject({ status: 'suspended', note: 'closed for the summer' });
    await page.getByText('chosen').waitFor({ state: 'detached' });
    await page.getByLabel('Choose all rows of this page').check();
    await page.getByText(/\d+ licenses chosen/).waitFor();
    expect(errors).toEqual([]);
  });
});

describe('a user', () => {
  it('is renamed: the page goes along, and the session ends', async () => {
    await issue('radia');
    const desktop = await Desktop.hello(stage.node.ports.public, 'radia', 'desk');
    await desktop.told('welcome');
    const { page, errors } = await signIn(stage, { place: `#/${ORG}/users/radia` });
    await page.getByText('desk').first().waitFor();
    await choose(page, 'Change the user radia', 'Rename…');
    await dialog(page).getByLabel('New name').fill('m1');
    await dialog(page).getByRole('button', { name: 'Rename' }).click();
    await dialog(page).getByText('Somebody is known as m1 already.').waitFor();
    await dialog(page).getByLabel('New name').fill('radia.perlman');
    await dialog(page).getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { level: 1, name: 'radia.perlman' }).waitFor();
    expect(await desktop.close()).toEqual({ code: 4510, reason: 'user_renamed' });
    await page.getByText('was renamed, and has to sign in again').waitFor();
    expect(errors.filter((text) => !text.includes('409'))).toEqual([]);
  });

  it('is forgotten after the person has seen what goes, and has typed the name', async () => {
    await issue('fred');
    const { page } = await signIn(stage, { place: `#/${ORG}/users/fred` });
    await choose(page, 'Change the user fred', 'Forget…');
    await dialog(page).getByText('the license, which is active').waitFor();
    expect(await violations(page)).toEqual([]);
    await dialog(page).getByLabel('Name of the user').fill('freda');
    await dialog(page).getByRole('button', { name: 'Forget fred' }).click();
    await dialog(page).getByText('That is not the name').waitFor();
    expect(await license('fred')).not.toBe(null);
    await dialog(page).getByLabel('Name of the user').fill('fred');
    await dialog(page).getByRole('button', { name: 'Forget fred' }).click();
    await page.getByText('Nothing is known of “fred”').waitFor();
    expect(await license('fred')).toBe(null);
  });
});

describe('the rules of a seat', () => {
  it('are for one license what its terms say', async () => {
    await issue('tess');
    const { page, errors } = await signIn(stage, { place: `#/${ORG}/users/tess` });
    await choose(page, 'Change the license of tess', 'Change terms…');
    await dialog(page).getByLabel('Kind').fill('trial');
    await dialog(page).getByLabel('First day').fill('2030-01-31');
    await dialog(page).getByLabel('Days of grace').fill('a week');
    await dialog(page).getByLabel('Idle limit').selectOption('yes');
    expect(await violations(page)).toEqual([]);
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await dialog(page).getByText('must be a whole number').waitFor();
    await dialog(page).getByLabel('Days of grace').fill('7');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await gone(page);
    for (const text of ['trial', '7 days after its end', 'none for this license'])
      await page.getByText(text).first().waitFor();
    expect(await license('tess')).toMatchObject({ kind: 'trial', graceDays: 7, idleExempt: true });
    // What is shown again is what was saved.
    await choose(page, 'Change the license of tess', 'Change terms…');
    expect(await dialog(page).getByLabel('First day').inputValue()).toBe('2030-01-31');
    expect(errors).toEqual([]);
  });

  it('end a session with its tokens, and show who shares a seat or took it along', async () => {
    const { orgs } = stage.node.store;
    await orgs.change(ORG, { sameMachine: 'share' }, 'test');
    await issue('tom');
    const open = (instance: string) =>
      Desktop.hello(stage.node.ports.public, 'tom', 'desk', { instance, attempt: 1 });
    const [first, second] = [await open('one'), await open('two')];
    await second.told('welcome');
    const { page, errors } = await signIn(stage, { place: `#/${ORG}/users/tom` });
    await page.getByText('several share the seat').waitFor();
    await choose(page, 'Change the user tom', 'Revoke tokens…');
    expect(await violations(page)).toEqual([]);
    await dialog(page).getByRole('button', { name: 'Revoke tokens' }).click();
    await gone(page);
    for (const one of [first, second]) expect((await one.close()).reason).toBe('token_revoked');
    await page.getByText('Not in at present').waitFor();
    await orgs.change(ORG, { sameMachine: null }, 'test');
    expect(errors).toEqual([]);
  });
});

describe('settings of an org', () => {
  const change = async (page: Page, name: string, act: () => Promise<unknown>) => {
    await page.getByRole('button', { name: `Change: ${name}` }).click();
    await act();
    await dialog(page).getByRole('button', { name: 'Save' }).click();
  };

  it('are changed by an owner: a new org, its quota, mode, zone and rules', async () => {
    await stage.node.store.orgs.enter(ORG);
    const { page, errors } = await signIn(stage, { place: '#/', role: 'owner' });
    // The only org is chosen already; whoever comes back to the list stays there.
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.goto(`${stage.url}#/`);
    await page.getByRole('button', { name: 'New org' }).click();
    await dialog(page).getByLabel('Name').fill(ORG);
    await dialog(page).getByRole('button', { name: 'Create org' }).click();
    await dialog(page).getByText(`There is an org ${ORG} already.`).waitFor();
    await dialog(page).getByLabel('Name').fill('initech');
    await dialog(page).getByLabel('Quota').fill('12');
    await dialog(page).getByRole('button', { name: 'Create org' }).click();
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    await change(page, 'Quota', () => dialog(page).getByLabel('Quota').fill(''));
    await gone(page);
    await change(page, 'Time zone', () => dialog(page).getByLabel('Time zone').fill('Mars/Olympus'));
    await dialog(page).getByText('must be a time zone').waitFor();
    await dialog(page).getByLabel('Time zone').fill('Asia/Tokyo');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await gone(page);
    await change(page, 'License mode', () => dialog(page).getByLabel('License mode').selectOption('auto'));
    await gone(page);
    const typed = {
      'Taking along offline': '7d',
      'Most seats at once': '20',
      Overdraft: '10',
      'Least version': 'Editor=4.2, Viewer = 2',
    };
    for (const [name, text] of Object.entries(typed)) {
      await change(page, name, () => dialog(page).getByLabel(name).fill(text));
      await gone(page);
    }
    await change(page, 'Idle limit', () => dialog(page).getByLabel('Idle limit').fill('soon'));
    await dialog(page).getByText('Type a duration like 30m').waitFor();
    await dialog(page).getByLabel('Idle limit').fill('90m');
    await dialog(page).getByRole('button', { name: 'Save' }).click();
    await gone(page);
    const share = 'Programs of one machine';
    await change(page, share, () => dialog(page).getByLabel(share).selectOption('share'));
    await gone(page);
    await page.getByText('they share the seat').first().waitFor();
    // What a person typed is there again to be changed.
    await change(page, 'Idle limit', async () => {
      expect(await dialog(page).getByLabel('Idle limit').inputValue()).toBe('90m');
      await dialog(page).getByLabel('Idle limit').fill('2h');
    });
    await gone(page);
    await page.getByRole('button', { name: 'Add rule' }).click();
    await dialog(page).getByLabel('Machine id').fill('stolen');
    await dialog(page).getByRole('button', { name: 'Add rule' }).click();
    await page.getByRole('row', { name: /stolen deny/ }).waitFor();
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 860 });
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
    const { orgs } = stage.node.store;
    expect(await orgs.settings('initech')).toMatchObject({
      ...{ quota: null, timeZone: 'Asia/Tokyo', licenseMode: 'auto', idleLimitMs: 7_200_000 },
      ...{ leaveMaxMs: 604_800_000, maxActive: 20, maxActiveOverdraft: 10, sameMachine: 'share' },
      minVersion: { Editor: '4.2', Viewer: '2' },
    });
    await page.getByRole('button', { name: 'Take away the rule for stolen' }).click();
    await page.getByText('No machine is allowed or denied').waitFor();
    expect(errors.filter((text) => !/40[49]|422/.test(text))).toEqual([]);
  });

  it('are not offered to those who may not change them', async () => {
    const { page } = await signIn(stage, { place: `#/${ORG}/settings`, role: 'admin', org: ORG });
    await page.getByRole('button', { name: 'Change: Time zone' }).waitFor();
    expect(await page.getByRole('button', { name: 'Change: Quota' }).count()).toBe(0);
  });

  it('keep all of it out where it is suspended, until an owner lets it in again', async () => {
    const org = 'hooli';
    await stage.node.store.orgs.enter(org);
    const { page, errors } = await signIn(stage, { place: `#/${org}/settings`, role: 'owner' });
    await page.getByRole('button', { name: 'Suspend org…' }).click();
    await dialog(page).getByLabel('Reason').fill('not paid');
    await dialog(page).getByRole('button', { name: 'Suspend org' }).click();
    await gone(page);
    await page.getByText(/Nobody of hooli gets a seat/).waitFor();
    expect(await stage.node.store.orgs.suspendedAt(org)).not.toBeNull();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Reinstate org…' }).click();
    await dialog(page).getByRole('button', { name: 'Reinstate org' }).click();
    await gone(page);
    await page.getByText('The org is not suspended').waitFor();
    expect(errors).toEqual([]);
  });
});
