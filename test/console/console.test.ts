import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPage } from '../support/browser.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { adminTokenFor, tokenFor } from '../support/node.js';
import { badge, figure, giveToken, ORG, openStage, type Stage, setHidden, signIn } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  await stage.clear();
});
afterAll(async () => {
  await stage?.close();
});

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
const toast = (page: Page, text: string) => page.locator('.toast', { hasText: text });

async function sit(user: string, machine = 'workstation'): Promise<Desktop> {
  const desktop = await Desktop.hello(stage.node.ports.public, user, machine);
  await desktop.told('welcome');
  return desktop;
}

describe('signing in', () => {
  it('takes an admin token, which then stands in no URL, no storage and no cookie that scripts can read', async () => {
    const { page, requests, errors } = await signIn(stage);
    await heading(page, 'Overview').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const kept = await page.evaluate(() => [
      document.cookie,
      JSON.stringify(localStorage),
      JSON.stringify(sessionStorage),
      document.documentElement.outerHTML,
      location.href,
    ]);
    expect([...kept, ...requests].filter((text) => text.includes('eyJ'))).toEqual([]);
    expect(new Set(requests.map((url) => new URL(url).host))).toEqual(new Set([new URL(stage.url).host]));
    expect(errors).toEqual([]);
    // Whoever comes back is still signed in.
    await page.reload();
    await heading(page, 'Overview').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.reload();
    await page.getByLabel('Admin token').waitFor();
  });

  it('refuses a client token, and says so', async () => {
    const { page } = await openPage(stage.browser);
    await page.goto(stage.url);
    await giveToken(page, tokenFor('ada'));
    await page.getByRole('alert').filter({ hasText: 'not accepted' }).waitFor();
    expect(await page.getByLabel('Admin token').inputValue()).toBe('');
  });

  it('ends with the token, and says so', async () => {
    const { page } = await openPage(stage.browser);
    await page.goto(`${stage.url}#/${ORG}/events`);
    // Long enough for a slow machine to get there before it ends.
    await giveToken(page, adminTokenFor('admin', '*', 10));
    await heading(page, 'Events').waitFor();
    // Nobody does anything: the stream ends, and the page finds out why.
    await page.getByText('Your admin token has ended').waitFor();
  });
});

describe('the overview', () => {
  it('shows a takeover the moment it happens', async () => {
    const { page, errors } = await signIn(stage);
    const workstation = await sit('grace');
    const latest = page.getByRole('region', { name: 'Latest' });
    await latest.getByText('grace got the seat on workstation').waitFor();
    await eventually(async () => (await figure(page, 'active')) === '1');
    const laptop = await sit('grace', 'laptop');
    await latest.getByText('grace took the seat over on laptop from workstation').waitFor();
    expect((await workstation.close()).code).toBe(4509);
    expect(await figure(page, 'active')).toBe('1');
    await eventually(async () => {
      const card = page.getByRole('region', { name: 'Takeovers / min' });
      return (await card.locator('.figure').textContent()) === '1';
    });
    laptop.say({ type: 'release' });
    await eventually(async () => (await figure(page, 'active')) === '0');
    expect(errors).toEqual([]);
  });

  it('tells how long evictions took lately, and at which node', async () => {
    const { page } = await signIn(stage);
    const card = page.getByRole('region', { name: 'Eviction latency' });
    const evictions = stage.node.metrics.evictionSeconds;
    for (let time = 0; time < 100; time += 1) evictions.observe(0.2);
    await card.getByText('250 ms', { exact: true }).waitFor();
    await card.getByText('at this node').waitFor();
    for (let time = 0; time < 200; time += 1) evictions.observe(60);
    await card.getByText('over 2.5 s', { exact: true }).waitFor();
  });

  it('claims nothing while its stream is refused, and opens it again by itself', async () => {
    const { page } = await signIn(stage, { place: `#/${ORG}/sessions` });
    let refused = 0;
    await page.route('**/v1/admin/live?*', (route) => {
      refused += 1;
      return route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{}' });
    });
    await page.getByRole('link', { name: 'Overview' }).click();
    await eventually(() => refused > 1);
    await badge(page, 'Connecting…');
    const health = page.getByRole('region', { name: 'Health' });
    await health.locator('code').first().waitFor();
    await eventually(async () => (await health.locator('.badge.plain').count()) === 3);
    expect(await health.locator('.badge').allTextContents()).toEqual(['unknown', 'unknown', 'unknown']);
    expect(await figure(page, 'active')).toBe('–');
    await page.unroute('**/v1/admin/live?*');
    await badge(page, 'Live');
    await health.locator('.badge.good', { hasText: 'up' }).waitFor();
    await health.locator('.badge.good', { hasText: 'ready' }).waitFor();
  });
});

describe('sessions', () => {
  it('are evicted with a reason: the program is told, and the audit trail knows who did it and why', async () => {
    const ada = await sit('ada');
    const { page } = await signIn(stage, { place: `#/${ORG}/sessions`, role: 'operator' });
    await page.getByRole('button', { name: 'Evict ada' }).click();
    const dialog = page.getByRole('dialog', { name: 'Evict ada?' });
    await dialog.getByText('workstation').waitFor();
    await dialog.getByLabel('Reason').fill('asked for by phone');
    await dialog.getByLabel('May come back').selectOption({ label: 'after a minute' });
    await dialog.getByRole('button', { name: 'Evict ada' }).click();
    await toast(page, 'ada was evicted').waitFor();
    expect(await ada.told('evicted')).toMatchObject({ reason: 'evicted_by_admin' });
    expect(await ada.close()).toMatchObject({ code: 4510 });
    await page.getByText('Nobody is in').waitFor();
    await page.getByRole('link', { name: 'Events' }).click();
    await page.getByText('ada was evicted by an administrator').waitFor();
    // The newest comes first.
    await page.getByRole('button', { name: 'Details of ended ada' }).first().click();
    await page.getByText('asked for by phone').waitFor();
    await page.getByText('operator@*').first().waitFor();
    const again = await Desktop.hello(stage.node.ports.public, 'ada', 'workstation');
    expect((await again.close()).code).not.toBe(1000);
  });

  it('follow what happens while they are looked at', async () => {
    const hedy = await sit('hedy');
    const { page } = await signIn(stage, { place: `#/${ORG}/sessions` });
    const row = page.getByRole('row', { name: /^hedy/ });
    await row.getByText('workstation').waitFor();
    await sit('hedy', 'laptop');
    await row.getByText('laptop').waitFor();
    const joan = await sit('joan');
    await page.getByRole('button', { name: '1 newcomer since: refresh' }).click();
    await page.getByRole('row', { name: /^joan/ }).waitFor();
    joan.say({ type: 'release' });
    await page.getByRole('row', { name: /^joan/ }).waitFor({ state: 'detached' });
    await hedy.close();
  });

  it('are right again when the person comes back from another tab, also among those searched for', async () => {
    const ann = await sit('ann');
    await sit('zed');
    const { page } = await signIn(stage, { place: `#/${ORG}/sessions` });
    const row = (user: string, machine: string) =>
      page.getByRole('row', { name: new RegExp(`^${user} ${machine}`) });
    await row('ann', 'workstation').waitFor();
    await row('zed', 'workstation').waitFor();
    await badge(page, 'Live');
    await setHidden(page, true);
    await badge(page, 'Connecting…');
    ann.say({ type: 'release' });
    await ann.close();
    await sit('zed', 'laptop');
    const amy = await sit('amy');
    await setHidden(page, false);
    await row('amy', 'workstation').waitFor();
    await row('zed', 'laptop').waitFor();
    await row('ann', '').waitFor({ state: 'detached' });
    await badge(page, 'Live');

    await page.getByLabel('Find a user').fill('ze');
    await row('amy', '').waitFor({ state: 'detached' });
    await setHidden(page, true);
    const zed = await sit('zed', 'tablet');
    await setHidden(page, false);
    await row('zed', 'tablet').waitFor();
    for (const one of [zed, amy]) one.say({ type: 'release' });
    await page.getByText('No session of a user that begins with').waitFor();
  });

  it('are counted by the hours and days of the org, and chart and table say in which zone', async () => {
    const past = await sit('zoe');
    await stage.node.store.orgs.change(ORG, { timeZone: 'Asia/Kathmandu' }, 'test');
    const context = { timezoneId: 'America/New_York', locale: 'en-GB' };
    const { page } = await signIn(stage, { context });
    await page.getByText('Hours of Asia/Kathmandu.').waitFor();
    await page.getByText('days of Asia/Kathmandu').waitFor();
    await page.getByRole('button', { name: '30 days' }).click();
    await page.getByText('Days of Asia/Kathmandu.').waitFor();
    await page.getByText('As a table').click();
    const today = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Asia/Kathmandu' });
    const newest = page.getByRole('table', { name: 'Usage' }).getByRole('row').nth(1);
    await newest.getByText(today.format(new Date())).waitFor();
    await stage.node.store.orgs.change(ORG, { timeZone: null }, 'test');
    past.say({ type: 'release' });
    await past.close();
  });

  it('of one user are found by a link in other letters, where the org ignores case', async () => {
    const mary = await sit('Mary');
    await stage.node.store.spellings.gather(ORG, { keepsKnown: false });
    await stage.node.store.orgs.change(ORG, { letterCase: 'ignore' }, 'test');
    const { page } = await signIn(stage, { place: `#/${ORG}/users/mARY` });
    await heading(page, 'Mary').waitFor();
    await page.getByRole('button', { name: 'Evict' }).waitFor();
    await stage.node.store.orgs.change(ORG, { letterCase: null }, 'test');
    mary.say({ type: 'release' });
    await mary.close();
  });

  it('of one user show a machine id that had two names at once', async () => {
    for (const name of ['studio', 'render farm']) {
      const desktop = await Desktop.hello(stage.node.ports.public, 'dora', 'cloned', {
        machine: { id: 'cloned', name },
      });
      await desktop.told('welcome');
    }
    const { page } = await signIn(stage, { place: `#/${ORG}/users/dora` });
    const machines = page.getByRole('table', { name: 'Machines of this user' });
    await machines.getByText('studio and render farm at once').waitFor();
    await machines.getByText('double', { exact: true }).waitFor();
  });

  it('of one user are right again when the person comes back from another tab', async () => {
    const una = await sit('una');
    const { page } = await signIn(stage, { place: `#/${ORG}/users/una` });
    await page.getByRole('button', { name: 'Evict' }).waitFor();
    await setHidden(page, true);
    una.say({ type: 'release' });
    await una.close();
    await setHidden(page, false);
    await page.getByText('Not in at present').waitFor();
  });
});

describe('licenses', () => {
  it('are issued to the end of the quota, and the refusal says what to do', async () => {
    await stage.node.store.orgs.change('small', { quota: 2 }, 'test');
    const { page } = await signIn(stage, { place: '#/small/licenses' });
    await page.getByText('0 of 2 issued, 2 left.').waitFor();
    for (const user of ['ada', 'grace']) {
      await page.getByRole('button', { name: 'Issue license' }).click();
      await page.getByRole('dialog').getByLabel('User').fill(user);
      await page.getByRole('dialog').getByRole('button', { name: 'Issue license' }).click();
      await toast(page, `${user} has a license`).waitFor();
    }
    await page.getByText('2 of 2 issued, 0 left.').waitFor();
    await page.getByRole('button', { name: 'Issue license' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('User').fill('alan');
    await dialog.getByRole('button', { name: 'Issue license' }).click();
    await dialog
      .getByRole('alert')
      .filter({ hasText: 'All licenses that small bought are issued' })
      .waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect((await stage.node.store.orgs.counts('small')).issued).toBe(2);
  });

  it('are suspended, reinstated, transferred and revoked, and end a session where they must', async () => {
    await stage.node.store.licenses.issue({
      org: ORG,
      user: 'radia',
      actor: 'test',
      id: 'l1',
      requestId: 'r1',
    });
    const radia = await sit('radia');
    const { page } = await signIn(stage, { place: `#/${ORG}/licenses` });
    const choose = async (user: string, action: string, confirm: string, more = async () => {}) => {
      await page.getByLabel(`Change the license of ${user}`).click();
      await page.getByRole('button', { name: action }).click();
      await more();
      await page.getByRole('dialog').getByRole('button', { name: confirm }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await choose('radia', 'Suspend…', 'Suspend license');
    expect((await radia.close()).code).toBe(4511);
    await page.getByRole('row', { name: /^radia suspended/ }).waitFor();
    await choose('radia', 'Reinstate…', 'Reinstate license');
    await page.getByRole('row', { name: /^radia active/ }).waitFor();
    await choose('radia', 'Transfer…', 'Transfer license', () =>
      page.getByRole('dialog').getByLabel('To user').fill('leslie'),
    );
    await heading(page, 'leslie').waitFor();
    await choose('leslie', 'Revoke…', 'Revoke license');
    await page.getByText('revoked', { exact: true }).first().waitFor();
    expect((await stage.node.store.licenses.get(ORG, 'leslie'))?.status).toBe('revoked');
  });
});

describe('a person with fewer rights', () => {
  it('is not offered what the server would refuse, and is refused it', async () => {
    const barbara = await sit('barbara');
    const { page } = await signIn(stage, { role: 'viewer', place: `#/${ORG}/sessions` });
    await page.getByRole('row', { name: /^barbara/ }).waitFor();
    expect(await page.getByRole('button', { name: 'Evict' }).count()).toBe(0);
    const refused = await page.evaluate(async () => {
      const answer = await fetch('/v1/admin/orgs/acme/sessions/barbara/evict', {
        method: 'POST',
        body: '{}',
      });
      return answer.status;
    });
    expect(refused).toBe(403);
    await page.getByRole('link', { name: 'Licenses' }).click();
    await heading(page, 'Licenses').waitFor();
    expect(await page.getByRole('button', { name: /Issue|Import/ }).count()).toBe(0);
    expect(await page.getByLabel(/Change the license/).count()).toBe(0);
    barbara.say({ type: 'release' });
  });

  it('of one org sees no other org and no nodes', async () => {
    const { page } = await signIn(stage, { role: 'operator', org: ORG, place: '' });
    await heading(page, 'Overview').waitFor();
    expect(await page.getByRole('link', { name: 'Nodes' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Choose another org' }).count()).toBe(0);
    await page.goto(`${stage.url}#/small/sessions`);
    await heading(page, 'There is no such org').waitFor();
  });
});
