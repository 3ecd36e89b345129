import { signal } from '@preact/signals';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'good' | 'bad';
}

const SHOWN_MS = 6000;
const SHOWN_AT_ONCE = 3;

export const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Tells what came of an action, also to a screen reader. */
export function tell(text: string, tone: Toast['tone'] = 'good'): void {
  lastId += 1;
  const toast = { id: lastId, text, tone };
  toasts.value = [...toasts.value, toast].slice(-SHOWN_AT_ONCE);
  setTimeout(() => dismiss(toast.id), SHOWN_MS);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}
