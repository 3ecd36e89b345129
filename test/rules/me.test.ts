import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from '../../src/broker.js';
import { ask } from '../support/admin.js';
import { openBrowser, openPage } from '../support/browser.js';
import { Desktop } from '../support/desktop.js';
import { startNode, tokenFor, UNHURRIED } from '../support/node.js';
import { useRedis } from '../support/redis.js';

const redis = useRedis();
const PAGES = 'http://pages.example.com';
let nodes: Broker[];
let browser: Browser;

beforeAll(async () => {
  const settings = { ...UNHURRIED, SOLESEAT_ORIGINS: PAGES };
  nodes = [await startNode(redis.url, settings), await startNode(redis.url, settings)];
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  for (const node of nodes ?? []) await node.stop();
});

const base = (at = 0) => `http://127.0.0.1:${(nodes[at] as Broker).ports.public}`;

async function call(method: string, path: string, user: string | null, asked?: unknown, at = 0) {
  const response = await fetch(`${base(at)}${path}`, {
    method,
    headers: { ...(user !== null && { authorization: `Bearer ${tokenFor(user)}` }) },
    ...(asked !== undefined && { body: typeof asked === 'string' ? asked : JSON.stringify(asked) }),
  });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  const body: any = text.startsWith('{') ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body };
}

const signOut = (user: string | null, body?: unknown) => call('POST', '/v1/session/evict', user, body, 1);

async function seat(user: string, machine: string): Promise<Desktop> {
  const desktop = await Desktop.hello((nodes[0] as Broker).ports.public, user, machine);
  await desktop.told('welcome');
  return desktop;
}

describe('a user’s own say', () => {
  it('signs the machine out that has the seat, through any node, and says so there', async () => {
    const desktop = await seat('ada', 'workstation');
    const { sessionId } = await desktop.told('welcome');
    expect((await signOut('ada')).body).toEqual({ evicted: { sessionId } });
    expect((await desktop.told('evicted')).reason).toBe('signed_out');
    expect(await desktop.close()).toEqual({ code: 4510, reason: 'signed_out' });
    expect((await call('GET', '/v1/session', 'ada')).body).toEqual({ holder: null });
    expect((await signOut('ada')).body).toEqual({ evicted: null });
    const { body } = await ask(
      nodes[0] as Broker,
      'GET',
      '/v1/admin/orgs/acme/events?type=session.ended&user=ada',
    );
    expect(body.items).toMatchObject([{ reason: 'signed_out', actor: 'user' }]);
  });

  it('ends the session that the person saw, and no other', async () => {
    const desktop = await seat('bob', 'pc');
    const { sessionId } = await desktop.told('welcome');
    const other = '01932000-0000-7000-8000-000000000000';
    expect((await signOut('bob', { sessionId: other })).body).toEqual({ evicted: null });
    expect(desktop.closed).toBeNull();
    expect((await signOut('bob', { sessionId })).body).toEqual({ evicted: { sessionId } });
  });

  it('reaches nobody else', async () => {
    const desktop = await seat('cleo', 'pc');
    const { sessionId } = await desktop.told('welcome');
    expect((await signOut('eve', { sessionId })).body).toEqual({ evicted: null });
    expect((await signOut(null, { sessionId })).status).toBe(401);
    const headers = { authorization: `Bearer ${tokenFor('cleo', 'globex')}` };
    await fetch(`${base()}/v1/session/evict`, { method: 'POST', headers });
    expect(desktop.closed).toBeNull();
  });

  it('lists my machines, the last one first, by name and not by id', async () => {
    await seat('dora', 'old-laptop');
    await seat('dora', 'workstation');
    const { body } = await call('GET', '/v1/machines', 'dora', undefined, 1);
    expect(body.machines).toMatchObject([
      { name: 'workstation', times: 1, hasSeat: true },
      { name: 'old-laptop', times: 1, hasSeat: false },
    ]);
    expect(Object.keys(body.machines[0]).sort()).toEqual([
      'firstSeen',
      'hasSeat',
      'lastSeen',
      'name',
      'times',
    ]);
    expect((await call('GET', '/v1/machines', 'nobody')).body).toEqual({ machines: [] });
    expect((await call('GET', '/v1/machines', null)).status).toBe(401);
  });

  it.each([
    ['{', 400],
    ['[]', 422],
    ['7', 422],
    ['{"sessionId":7}', 422],
    ['null', 422],
    [`{"pad":"${'x'.repeat(5000)}"}`, 413],
  ])('with the body %s is refused with %i, and ends nothing', async (body, status) => {
    const desktop = await seat('fred', 'pc');
    expect((await signOut('fred', body)).status).toBe(status);
    expect(desktop.closed).toBeNull();
    desktop.ws.terminate();
  });

  it.each([
    ['GET', '/v1/session/evict', 'POST'],
    ['HEAD', '/v1/session/evict', 'POST'],
    ['POST', '/v1/machines', 'GET, HEAD'],
    ['DELETE', '/v1/session', 'GET, HEAD'],
    ['POST', '/me', 'GET, HEAD'],
  ])('%s %s is told what to use', async (method, path, allow) => {
    const answer = await call(method, path, 'ada');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
  });

  it('lets pages of a listed origin ask, and says so beforehand', async () => {
    const preflight = (origin: string) =>
      fetch(`${base()}/v1/session/evict`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight(PAGES);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(PAGES);
    expect(allowed.headers.get('access-control-allow-methods')).toBe('POST');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Content-Type');
    expect(
      (await preflight('http://evil.example.com')).headers.get('access-control-allow-origin'),
    ).toBeNull();
  });
});

describe('the page /me', () => {
  const me = (token: string) => `${base()}/me#token=${token}`;

  it('shows where I am in, forgets the token in its address, and signs me out there', async () => {
    const desktop = await seat('gus', 'workstation');
    const { page, errors } = await openPage(browser);
    await page.goto(me(tokenFor('gus')));
    await page.getByText('You are signed in on workstation since').waitFor();
    expect(page.url()).toBe(`${base()}/me`);
    await page.getByRole('cell', { name: 'workstation (signed in)' }).waitFor();
    await page.getByRole('button', { name: 'Sign out there' }).click();
    await page.getByText('You are signed in nowhere.').waitFor();
    expect(await desktop.close()).toEqual({ code: 4510, reason: 'signed_out' });
    expect(await page.getByRole('button', { name: 'Sign out there' }).isVisible()).toBe(false);
    expect(errors).toEqual([]);
    await page.close();
  });

  it('takes the token from the page that opened it', async () => {
    await seat('hal', 'laptop');
    const { page } = await openPage(browser);
    await page.route(`${PAGES}/`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<p>the vendor</p>' }),
    );
    await page.goto(`${PAGES}/`);
    const opened = page.waitForEvent('popup');
    await page.evaluate(
      ([url, token]) => {
        const child = window.open(url);
        addEventListener('message', ({ data }) => {
          if (data?.type === 'soleseat.ready') child?.postMessage({ type: 'soleseat.token', token }, '*');
        });
      },
      [`${base()}/me`, tokenFor('hal')] as const,
    );
    const child = await opened;
    await child.getByText('You are signed in on laptop since').waitFor();
    await page.context().close();
  });

  it('says what is wrong: no token, one that is not good', async () => {
    const { page } = await openPage(browser);
    await page.goto(`${base()}/me`);
    await page.getByText('Open this page from your program').waitFor();
    await page.goto('about:blank');
    await page.goto(me('not.a.token'));
    await page.getByText('This sign-in is not valid any more').waitFor();
    await page.close();
  });

  it('runs nothing from elsewhere, and is in nobody’s frame', async () => {
    const { headers, body } = await call('GET', '/me', null);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(body).not.toMatch(/<script>|style=/);
    expect((await call('GET', `/me?token=${tokenFor('ada')}`, null)).status).toBe(400);
    expect((await call('GET', '/me/../../package.json', null)).status).toBe(404);
    expect((await call('GET', '/me/me.ts', null)).status).toBe(404);
  });
});
