import { signal } from '@preact/signals';

const TICK_MS = 5000;

/** The time in Unix ms, often enough for "2 minutes ago". */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, TICK_MS);
