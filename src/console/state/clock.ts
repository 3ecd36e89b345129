import { signal } from '@preact/signals';

const TICK_MS = 1000;

/** The time in Unix ms, a second old at most while the page is seen. */
export const now = signal(Date.now());

function tick(): void {
  if (!document.hidden) now.value = Date.now();
}

setInterval(tick, TICK_MS);
document.addEventListener('visibilitychange', tick);
