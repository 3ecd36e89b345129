import { readFileSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

interface Tool {
  readonly path: string;
  readonly libraries?: readonly string[];
}

const record = new URL('../../.soleseat/chromium.json', import.meta.url);
/** Below the tests' own limit, so that what is waited for is named. */
const PATIENCE_MS = 100_000;

/** The Chromium that the set-up of `npm test` provides. */
export async function openBrowser(): Promise<Browser> {
  const { path, libraries = [] } = JSON.parse(readFileSync(record, 'utf8')) as Tool;
  return chromium.launch({
    executablePath: path,
    // Its sandbox does not work for root, as which tests run in containers. All pages here are our own.
    args: ['--no-sandbox', '--disable-gpu'],
    ...(libraries.length > 0 && { env: { ...process.env, LD_LIBRARY_PATH: libraries.join(':') } }),
  });
}

/** What a page did that it should not have. */
export interface Watched {
  readonly page: Page;
  /** Errors of scripts, and what the Content-Security-Policy forbade. */
  readonly errors: readonly string[];
  /** Every address that was asked for. */
  readonly requests: readonly string[];
}

/** A page of a browser profile of its own. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    locale: 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // An answer of 401 or 409 is no fault of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      errors.push(message.text());
    }
  });
  page.on('request', (request) => requests.push(request.url()));
  return { page, errors, requests };
}
