import type { ComponentChildren } from 'preact';
import { absoluteText } from '../format.js';
import { maySeeNodes } from '../state/nodes.js';
import { hrefOf, route, type View } from '../state/route.js';
import { identity, may, signOut } from '../state/session.js';
import { type Theme, theme, themes } from '../state/theme.js';
import { tell } from '../state/toasts.js';
import { Icon, type IconName } from './icon.js';
import './shell.css';

interface Place {
  readonly view: View;
  readonly label: string;
  readonly icon: IconName;
}

const places: readonly Place[] = [
  { view: 'overview', label: 'Overview', icon: 'overview' },
  { view: 'sessions', label: 'Sessions', icon: 'sessions' },
  { view: 'licenses', label: 'Licenses', icon: 'licenses' },
  { view: 'events', label: 'Events', icon: 'events' },
  { view: 'nodes', label: 'Nodes', icon: 'nodes' },
  { view: 'webhooks', label: 'Webhooks', icon: 'webhooks' },
  { view: 'settings', label: 'Settings', icon: 'settings' },
];

/** Pages that are not for every token. */
const mayBeShown: Partial<Readonly<Record<View, () => boolean>>> = {
  nodes: maySeeNodes,
  webhooks: () => may('owner'),
};

/** What stands around every page: where one is, where one can go, and who one is. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const { org } = route.value;
  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <header class="side">
        <div class="brand">
          <img src="./icon.svg" alt="" width="28" height="28" />
          <span>Soleseat</span>
        </div>
        {org !== null && <OrgName org={org} />}
        {org !== null && <Places org={org} />}
        <Person />
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function OrgName({ org }: { readonly org: string }) {
  const isOnlyOne = identity.value?.org !== null;
  return (
    <div class="org">
      <span class="org-label">Org</span>
      <span class="org-name">{org}</span>
      {!isOnlyOne && (
        <a class="org-switch" href="#/" aria-label="Choose another org" title="Choose another org">
          <Icon name="swap" />
        </a>
      )}
    </div>
  );
}

function Places({ org }: { readonly org: string }) {
  const { view } = route.value;
  // A user's page belongs to the licenses.
  const here = view === 'users' ? 'licenses' : view;
  const shown = places.filter(({ view: one }) => mayBeShown[one]?.() ?? true);
  return (
    <nav aria-label="Pages">
      <ul class="places">
        {shown.map(({ view: target, label, icon }) => (
          <li key={target}>
            <a href={hrefOf(org, target)} aria-current={target === here ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{label}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const themeLabels: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' };

function Person() {
  const who = identity.value;
  if (!who) return null;
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system';
  return (
    <div class="person">
      <div class="who" title={`Signed in until ${absoluteText(who.expiresAt)}`}>
        <span>{who.subject}</span>
        <small>{who.role}</small>
      </div>
      <button
        type="button"
        class="icon-button"
        aria-label={`Colors: ${themeLabels[theme.value]}. Change to ${themeLabels[next]}`}
        title={`Colors: ${themeLabels[theme.value]}`}
        onClick={() => {
          theme.value = next;
        }}
      >
        <Icon name="theme" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="Sign out"
        title="Sign out"
        onClick={() => void signOut().catch((error: Error) => tell(error.message, 'bad'))}
      >
        <Icon name="leave" />
      </button>
    </div>
  );
}
