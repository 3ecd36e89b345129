import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Relay } from '../../chaos/relay.js';
import type { Broker } from '../../src/broker.js';
import { pickFreePort } from '../../src/embedded/redis-probe.js';
import { Desktop } from '../support/desktop.js';
import { eventually } from '../support/eventually.js';
import { startNode } from '../support/node.js';
import { badge, figure, ORG, openStage, type Stage, signIn } from './stage.js';

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

const health = (page: Page) => page.getByRole('region', { name: 'Health' });
const chart = (page: Page) => page.getByRole('img', { name: /^Active sessions/ });

async function sit(user: string, machine = 'workstation'): Promise<Desktop> {
  const desktop = await Desktop.hello(stage.node.ports.public, user, machine);
  await desktop.told('welcome');
  return desktop;
}

/** How far the line ends from where the chart does, at its right. */
async function blankAtRight(page: Page): Promise<number> {
  const [all, line] = [
    await chart(page).boundingBox(),
    await page.locator('.chart .line').last().boundingBox(),
  ];
  if (all === null || line === null) throw new Error('there is no line');
  return all.x + all.width - (line.x + line.width);
}

describe('while Redis is silent', () => {
  afterEach(() => stage.redis.kill('SIGCONT'));

  it('the overview says so, claims nothing of now, and leaves a gap in its line', async () => {
    const { page, errors } = await signIn(stage);
    await badge(page, 'Live');
    await eventually(async () => /now 0/.test((await chart(page).getAttribute('aria-label')) ?? ''));
    await health(page).locator('.badge.good', { hasText: 'ready' }).waitFor();
    stage.redis.kill('SIGSTOP');
    await badge(page, 'Redis is out of reach');
    await health(page).locator('.badge.bad', { hasText: 'out of reach' }).waitFor();
    expect(await health(page).locator('.badge.good').count()).toBe(0);
    expect(await chart(page).getAttribute('aria-label')).toMatch(/now unknown/);
    // The last that was known stays to be read.
    expect(await figure(page, 'active')).toBe('0');
    stage.redis.kill('SIGCONT');
    await badge(page, 'Live');
    await health(page).locator('.badge.good', { hasText: 'up' }).waitFor();
    await eventually(async () => (await page.locator('.chart .line').count()) === 2);
    expect(errors).toEqual([]);
  });

  it.each([
    ['licenses', /^ada/],
    ['users/ada', /^workstation/],
  ])('the page of %s says so, and shows what there is once Redis is back', async (place, row) => {
    await stage.node.store.licenses.issue({
      org: ORG,
      user: 'ada',
      actor: 'test',
      id: 'l1',
      requestId: 'r1',
    });
    const ada = await sit('ada');
    const { page } = await signIn(stage, { place: `#/${ORG}/nodes` });
    await page.getByText('ready', { exact: true }).waitFor();
    stage.redis.kill('SIGSTOP');
    await page.goto(`${stage.url}#/${ORG}/${place}`);
    await page.getByRole('alert').filter({ hasText: 'Redis is out of reach' }).waitFor();
    expect(await page.getByRole('row', { name: row }).count()).toBe(0);
    stage.redis.kill('SIGCONT');
    await page.getByRole('row', { name: row }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    ada.ws.terminate();
  });

  it('a list that failed meanwhile is asked for again by itself', async () => {
    const ada = await sit('ada');
    const { page } = await signIn(stage, { place: `#/${ORG}/sessions` });
    await page.getByRole('row', { name: /^ada/ }).waitFor();
    await badge(page, 'Live');
    stage.redis.kill('SIGSTOP');
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByRole('alert').filter({ hasText: 'Redis is out of reach' }).waitFor();
    await badge(page, 'Connecting…');
    stage.redis.kill('SIGCONT');
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await badge(page, 'Live');
    ada.ws.terminate();
  });
});

describe('while the node is silent, and its connections stay open', () => {
  it('nothing is called live, ready or seen just now', async () => {
    const relay = await Relay.start({ target: () => stage.node.ports.admin });
    const own = { ...stage, url: `http://127.0.0.1:${relay.port}/console/` };
    const { page: overview } = await signIn(own);
    const { page: nodes } = await signIn(own, { place: `#/${ORG}/nodes` });
    const rows = nodes.getByRole('table', { name: 'Nodes' });
    await badge(overview, 'Live');
    await health(overview).locator('.badge.good', { hasText: 'ready' }).first().waitFor();
    await rows.getByText('ready').first().waitFor();
    relay.hold('up', 'down');
    await badge(overview, 'Connecting…');
    expect(await health(overview).locator('.badge.good').count()).toBe(0);
    await rows.getByText('unknown').first().waitFor();
    expect(await rows.locator('tbody .badge.good').count()).toBe(0);
    relay.heal();
    await badge(overview, 'Live');
    await rows.getByText('ready').first().waitFor();
    await stage.clear();
    relay.stop();
  });
});

describe('while the node is gone', () => {
  let node: Broker;
  let own: Stage;

  beforeEach(async () => {
    // A port that is free again when the node comes back.
    node = await startNode(stage.redis.url, { SOLESEAT_ADMIN_PORT: String(await pickFreePort()) });
    own = { ...stage, node, url: `http://127.0.0.1:${node.ports.admin}/console/` };
  });
  afterEach(() => node.stop());

  const startAgain = async () => {
    node = await startNode(stage.redis.url, { SOLESEAT_ADMIN_PORT: String(node.ports.admin) });
  };

  it('the overview calls nothing live or well, and its line ends where it was last known', async () => {
    const { page } = await signIn(own);
    await badge(page, 'Live');
    await health(page).locator('.badge.good', { hasText: 'ready' }).first().waitFor();
    await eventually(async () => (await blankAtRight(page)) < 40);
    await node.stop();
    await badge(page, 'Connecting…');
    await eventually(async () => (await health(page).locator('.badge.good').count()) === 0);
    expect(new Set(await health(page).locator('.badge').allTextContents())).toEqual(new Set(['unknown']));
    await eventually(async () => (await blankAtRight(page)) > 100);
    expect(await chart(page).getAttribute('aria-label')).toMatch(/now unknown/);
    await startAgain();
    await badge(page, 'Live');
    await health(page).locator('.badge.good', { hasText: 'up' }).waitFor();
    await eventually(async () => (await blankAtRight(page)) < 40);
  });

  it('the page of nodes claims of none that it is ready, or was seen just now', async () => {
    const { page } = await signIn(own, { place: `#/${ORG}/nodes` });
    const rows = page.getByRole('table', { name: 'Nodes' });
    await rows.getByText('ready').first().waitFor();
    await rows.getByText('just now').first().waitFor();
    await node.stop();
    await page.getByRole('alert').filter({ hasText: 'The server cannot be reached.' }).waitFor();
    await rows.getByText('unknown').first().waitFor();
    const claims = rows.locator('tbody .badge.good, tbody td[data-head="Last seen"] time');
    expect(await claims.count()).toBe(0);
    await startAgain();
    await rows.getByText('ready').first().waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('the rows of sessions follow again what happened meanwhile, once it is back', async () => {
    const grace = await sit('grace');
    await sit('hedy');
    const { page } = await signIn(own, { place: `#/${ORG}/sessions` });
    await page.getByRole('row', { name: /^grace/ }).waitFor();
    await badge(page, 'Live');
    await node.stop();
    await badge(page, 'Connecting…');
    grace.say({ type: 'release' });
    await grace.close();
    await sit('hedy', 'laptop');
    await startAgain();
    await page.getByRole('row', { name: /^hedy laptop/ }).waitFor();
    await page.getByRole('row', { name: /^grace/ }).waitFor({ state: 'detached' });
    await badge(page, 'Live');
  });
});
