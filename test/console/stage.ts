import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Role } from '../../src/auth/tokens.js';
import type { Broker } from '../../src/broker.js';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import { openBrowser, openPage, type Watched } from '../support/browser.js';
import { adminTokenFor, startNode } from '../support/node.js';
import { testRedis } from '../support/redis.js';

export const ORG = 'acme';

/** A node with an org on a Redis of its own, and a browser. */
export interface Stage {
  readonly redis: RedisProcess;
  readonly node: Broker;
  readonly browser: Browser;
  /** Where the console is. */
  readonly url: string;
  /** Closes every page: each that stays open is drawn anew every second. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const redis = await testRedis();
  const node = await startNode(redis.url);
  const browser = await openBrowser();
  await node.store.orgs.change(ORG, { quota: 40 }, 'test');
  return {
    redis,
    node,
    browser,
    url: `http://127.0.0.1:${node.ports.admin}/console/`,
    clear: async () => {
      for (const context of browser.contexts()) await context.close();
    },
    close: async () => {
      await browser.close();
      await node.stop();
      await redis.stop();
    },
  };
}

export interface SignInOptions {
  readonly role?: Role;
  readonly org?: string;
  /** The page of the console to begin with. */
  readonly place?: string;
  readonly context?: BrowserContextOptions;
}

/** Signs in by the form, as a person does. */
export async function signIn(stage: Stage, options: SignInOptions = {}): Promise<Watched> {
  const { role = 'admin', org = '*', place = `#/${ORG}/overview`, context } = options;
  const watched = await openPage(stage.browser, context);
  await watched.page.goto(stage.url + place);
  await giveToken(watched.page, adminTokenFor(role, org));
  await watched.page.getByRole('heading', { level: 1, name: 'Soleseat' }).waitFor({ state: 'detached' });
  return watched;
}

export async function giveToken(page: Page, token: string): Promise<void> {
  await page.getByLabel('Admin token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** The number that a card of the overview shows. */
export async function figure(page: Page, name: 'active' | 'issued'): Promise<string | null> {
  return page.locator(`[data-figure="${name}"]`).textContent();
}

/** As when the person turns to another tab, or back; a browser that is driven never hides a page by itself. */
export async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, value });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}

/** Waits until the page says, or no longer says, that what it shows is of now. */
export async function badge(
  page: Page,
  text: 'Live' | 'Connecting…' | 'Redis is out of reach',
): Promise<void> {
  await page.locator('.live', { hasText: new RegExp(`^${text}$`) }).waitFor();
}
