import { effect, signal } from '@preact/signals';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

const KEY = 'soleseat-theme';

/** How the console looks; `system` follows the operating system. */
export const theme = signal<Theme>(remembered());

effect(() => {
  const { value } = theme;
  if (value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // A browser that keeps nothing shows the chosen theme until the page is left.
  }
});

function remembered(): Theme {
  try {
    return themes.find((one) => one === localStorage.getItem(KEY)) ?? 'system';
  } catch {
    return 'system';
  }
}
