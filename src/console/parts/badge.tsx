import { wordsOf } from '../format.js';
import './badge.css';

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

const toneOfStatus: Readonly<Record<string, Tone>> = {
  active: 'good',
  suspended: 'warn',
  expired: 'bad',
  revoked: 'plain',
};

/** A word with a dot whose color says the same. */
export function Badge({ text, tone }: { readonly text: string; readonly tone: Tone }) {
  return <span class={`badge ${tone}`}>{text}</span>;
}

export function StatusBadge({ status }: { readonly status: string }) {
  return <Badge text={wordsOf(status)} tone={toneOfStatus[status] ?? 'plain'} />;
}
