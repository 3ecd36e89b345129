import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seedOffice } from '../../src/cli/dev-office.js';
import type { Watched } from '../support/browser.js';
import { openPage } from '../support/browser.js';
import { Desktop } from '../support/desktop.js';
import { violations } from './axe.js';
import { ORG, openStage, type Stage, signIn } from './stage.js';

/** Set by `npm run screenshots`: the pictures of the documentation are taken, and the office is at work meanwhile. */
const TAKES_PICTURES = process.env.UPDATE_SCREENSHOTS === '1';
const folder = resolve(import.meta.dirname, '../../docs/images');
const DESK = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

/** As long as names may be, without a place to break. */
const LONG = 'x'.repeat(256);
const LONG_NOTE = 'note'.repeat(64);

interface Place {
  readonly name: string;
  readonly hash: string;
  /** Brings the page to where it is looked at. */
  readonly ready: (page: Page) => Promise<unknown>;
  readonly after?: (page: Page) => Promise<unknown>;
  /** The looks of which the documentation has a picture. */
  readonly pictures?: readonly string[];
}

const cancel = (page: Page) => page.getByRole('button', { name: 'Cancel' }).click();
const rows = (page: Page) => page.getByRole('row').nth(5).waitFor();

const places: readonly Place[] = [
  {
    name: 'overview',
    hash: `#/${ORG}/overview`,
    ready: async (page) => {
      await page.getByText('Live', { exact: true }).waitFor();
      await page.getByRole('img', { name: /Most seats at once/ }).waitFor();
      if (TAKES_PICTURES) await new Promise((done) => setTimeout(done, 60_000));
    },
    pictures: ['light', 'dark', 'phone'],
  },
  { name: 'sessions', hash: `#/${ORG}/sessions`, ready: rows, pictures: ['phone'] },
  {
    name: 'evict',
    hash: `#/${ORG}/sessions`,
    ready: async (page) => {
      await page
        .getByRole('button', { name: /^Evict / })
        .first()
        .click();
      await page.getByLabel('Reason').fill('asked for by phone');
    },
    after: cancel,
    pictures: ['light'],
  },
  {
    name: 'licenses',
    hash: `#/${ORG}/licenses`,
    ready: async (page) => {
      await rows(page);
      await page.getByLabel('Change the license of alonzo').click();
    },
    pictures: ['light'],
  },
  {
    name: 'import',
    hash: `#/${ORG}/licenses?show=suspended`,
    ready: async (page) => {
      await page.getByRole('button', { name: 'Import' }).click();
      const buffer = Buffer.from('user,expiresAt,note\nada,,\n,,\nbabbage,yesterday,\n');
      await page.getByLabel('CSV file').setInputFiles({ name: 'staff.csv', mimeType: 'text/csv', buffer });
      await page.getByRole('button', { name: 'Import licenses' }).click();
      await page.getByRole('alert').getByText('Nothing was imported').waitFor();
    },
    after: cancel,
  },
  {
    name: 'no licenses',
    hash: `#/${ORG}/licenses?show=expired`,
    ready: (page) => page.getByText('No license has expired').waitFor(),
  },
  {
    name: 'user',
    hash: `#/${ORG}/users/alan`,
    ready: async (page) => {
      await page.getByRole('table', { name: 'Machines of this user' }).waitFor();
      await page.getByRole('button', { name: 'Evict' }).waitFor();
    },
    pictures: ['light'],
  },
  {
    name: 'events',
    hash: `#/${ORG}/events`,
    ready: (page) =>
      page
        .getByRole('button', { name: /^Details of/ })
        .nth(2)
        .click(),
    pictures: ['light'],
  },
  {
    name: 'nodes',
    hash: `#/${ORG}/nodes`,
    ready: (page) => page.getByText('ready', { exact: true }).waitFor(),
  },
  {
    name: 'no webhooks',
    hash: `#/${ORG}/webhooks`,
    ready: (page) => page.getByText('No webhooks yet').waitFor(),
  },
  {
    name: 'webhooks',
    hash: `#/${ORG}/webhooks`,
    ready: async (page) => {
      const { webhooks } = stage.node.store;
      await webhooks.put({
        ...{ id: 'w1', url: 'https://example.com/hooks', description: 'billing', types: ['license.issued'] },
        ...{ orgs: null, secrets: [], state: 'active', reason: null, createdAtMs: Date.now() },
      });
      await page.getByRole('table', { name: 'Webhooks' }).waitFor();
      await page.getByLabel('Change the webhook at example.com').click();
      await page.getByRole('button', { name: 'Register URL' }).click();
      await page.getByLabel('URL', { exact: true }).fill('https://example.com/other');
    },
    after: async (page) => {
      await cancel(page);
      await stage.node.store.webhooks.remove('w1');
    },
  },
  {
    name: 'unknown org',
    hash: '#/nowhere/licenses',
    ready: (page) => page.getByRole('heading', { name: 'There is no such org' }).waitFor(),
  },
  {
    name: 'unknown page',
    hash: `#/${ORG}/nonsense`,
    ready: (page) => page.getByRole('heading', { name: 'There is no such page' }).waitFor(),
  },
  {
    name: 'unknown user',
    hash: `#/${ORG}/users/nobody`,
    ready: (page) => page.getByText('Nothing is known of “nobody”').waitFor(),
  },
  {
    name: 'held user with a long name and note',
    hash: `#/${ORG}/users/${LONG}`,
    ready: async (page) => {
      const { licenses, users } = stage.node.store;
      const order = { org: ORG, user: LONG, actor: 'test' };
      await licenses.issue({ ...order, id: 'long', requestId: 'long', note: LONG_NOTE });
      await licenses.suspend(order);
      await users.hold({ ...order, holdMs: 3_600_000, note: LONG_NOTE });
      await page.getByText('Held:').waitFor();
    },
  },
  {
    name: 'licenses with a long name and note, some chosen',
    hash: `#/${ORG}/licenses?`,
    ready: async (page) => {
      await page.getByLabel(`Choose ${LONG}`).check();
      await page.getByText('1 license chosen').waitFor();
    },
  },
  {
    name: 'a change of many licenses',
    hash: `#/${ORG}/licenses?many`,
    ready: async (page) => {
      await page.getByLabel(`Choose ${LONG}`).check();
      await page.getByRole('button', { name: 'Reinstate…' }).click();
      await page.getByRole('button', { name: 'Reinstate 1 license' }).click();
      await page.getByText('1 of 1 done').waitFor();
    },
    after: (page) => page.getByRole('button', { name: 'Close' }).click(),
  },
  { name: 'orgs', hash: '#/', ready: (page) => page.getByRole('link', { name: 'globex' }).waitFor() },
];

let stage: Stage;
let watched: Watched;
const seats = new Map<string, Desktop>();
let timer: ReturnType<typeof setInterval> | undefined;

async function sit(user: string, number: number): Promise<void> {
  const name = `${user}-${['workstation', 'laptop', 'lab-pc'][number % 3]}`;
  const os = ['Windows 11', 'macOS 15', 'Debian 12'][number % 3] ?? '';
  const machine = { id: name, name, os, kind: number % 4 === 3 ? 'virtual' : 'physical' } as const;
  const desktop = await Desktop.hello(stage.node.ports.public, user, name, { machine });
  await desktop.told('welcome');
  seats.set(user, desktop);
}

beforeAll(async () => {
  stage = await openStage();
  await seedOffice(stage.node.store, stage.redis.url, () => 0.5);
  await stage.node.store.orgs.change('globex', { quota: 120 }, 'test');
  const staff = 'alan annie barbara christine donald edsger grace hedy ida john radia'.split(' ');
  for (const [index, user] of staff.entries()) await sit(user, index);
  await sit('alan', 1);
  if (TAKES_PICTURES) {
    let turn = 0;
    timer = setInterval(() => {
      turn += 1;
      const user = staff[(turn * 7) % staff.length] ?? 'alan';
      if (turn % 3 !== 0 || !seats.has(user)) return void sit(user, turn);
      seats.get(user)?.say({ type: 'release' });
      seats.delete(user);
    }, 2500);
  }
  watched = await signIn(stage);
});
afterAll(async () => {
  clearInterval(timer);
  await stage?.close();
});

async function takePicture(page: Page, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `console-${name}.png`) });
}

/** On a desk by day, on a desk by night, and on a phone. */
const looks = [
  { look: 'light', viewport: DESK, colorScheme: 'light' },
  { look: 'dark', viewport: DESK, colorScheme: 'dark' },
  { look: 'phone', viewport: PHONE, colorScheme: 'light' },
] as const;

async function inspect(page: Page, { name, pictures = [] }: Pick<Place, 'name' | 'pictures'>): Promise<void> {
  for (const { look, viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    expect(await violations(page), `${name}, ${look}`).toEqual([]);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, `${name}, ${look}: nothing sticks out at the side`).toBeLessThanOrEqual(viewport.width);
    if (TAKES_PICTURES && pictures.includes(look)) await takePicture(page, `${name}-${look}`);
  }
  await page.setViewportSize(DESK);
}

describe('a page of the console has nothing that axe objects to, in light and dark and on a phone:', () => {
  it('sign-in', async () => {
    const { page } = await openPage(stage.browser);
    await page.goto(stage.url);
    await page.getByLabel('Admin token').fill('no token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await inspect(page, { name: 'sign-in' });
    await page.context().close();
  });

  it.each(places)(
    '$name',
    async (place) => {
      const { page } = watched;
      await page.goto(stage.url + place.hash);
      await place.ready(page);
      await inspect(page, place);
      await place.after?.(page);
      expect(watched.errors).toEqual([]);
    },
    180_000,
  );
});
