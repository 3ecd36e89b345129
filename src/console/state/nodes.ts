import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call } from '../api/client.js';
import type { NodeRow } from '../api/types.js';
import type { Tone } from '../parts/badge.js';
import { useAnswer } from './answer.js';
import { identity } from './session.js';

const EVERY_MS = 5000;
const PATH = '/v1/admin/nodes';

/** Nodes serve all orgs, so that only who may see all orgs is shown them. */
export function maySeeNodes(): boolean {
  return identity.value?.org === null;
}

/** The broker nodes, asked for again every few seconds; null: not known. With an error they are those of before. */
export function useNodes(): { readonly nodes: readonly NodeRow[] | null; readonly error: Error | null } {
  const { value, error } = useAnswer<AdminAnswers['listNodes']>(maySeeNodes() ? PATH : null, {
    everyMs: EVERY_MS,
    // A server that is silent is no better than one that cannot be reached.
    ask: () => call('GET', PATH, { signal: AbortSignal.timeout(EVERY_MS) }),
  });
  return { nodes: value?.items ?? null, error };
}

interface BadgeProps {
  readonly text: string;
  readonly tone: Tone;
}

/** What is said of a thing of which nothing is known at present. */
export const unknown: BadgeProps = { text: 'unknown', tone: 'plain' };

/** How a node is, in a word. */
export function nodeState({ isLive, state }: NodeRow): BadgeProps {
  if (!isLive) return { text: 'silent', tone: 'bad' };
  return state === 'draining' ? { text: 'draining', tone: 'warn' } : { text: 'ready', tone: 'good' };
}
