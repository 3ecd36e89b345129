import { signal } from '@preact/signals';

export const views = [
  'overview',
  'sessions',
  'licenses',
  'users',
  'events',
  'nodes',
  'webhooks',
  'settings',
] as const;
export type View = (typeof views)[number];

/** A place in the console: `#/<org>/<view>/<item>?<query>`. The fragment never leaves the browser. */
export interface Route {
  /** null: no org is chosen yet. */
  readonly org: string | null;
  /** null: there is no such page. */
  readonly view: View | null;
  /** The user, where the view shows one. */
  readonly item: string | null;
  readonly query: Readonly<Record<string, string>>;
}

export const route = signal<Route>(read(location.hash));

addEventListener('hashchange', () => {
  route.value = read(location.hash);
});

export function hrefOf(org: string, view: View, item?: string, query: Route['query'] = {}): string {
  const path = ['#', org, view, ...(item === undefined ? [] : [item])]
    .map((part) => (part === '#' ? part : encodeURIComponent(part)))
    .join('/');
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Goes to a place; `replace` leaves no trace in the browser's history. */
export function go(href: string, { replace = false } = {}): void {
  if (!replace) {
    location.hash = href;
    return;
  }
  history.replaceState(null, '', href);
  route.value = read(href);
}

function read(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [org, view, item, ...more] = path.split('/').map(decoded);
  return {
    org: org ? org : null,
    view: pageOf(view, item, more.length > 0),
    item: item ? item : null,
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** The page of that name. Only a user's page has something behind its name, and it needs it. */
function pageOf(name: string | undefined, item: string | undefined, hasMore: boolean): View | null {
  if (!name) return hasMore || item ? null : 'overview';
  const found = views.find((one) => one === name) ?? null;
  const isWhole = found === 'users' ? Boolean(item) : !item;
  return isWhole && !hasMore ? found : null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
