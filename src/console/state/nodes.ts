import { useEffect, useState } from 'preact/hooks';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { call } from '../api/client.js';
import type { NodeRow } from '../api/types.js';
import type { Tone } from '../parts/badge.js';
import { every } from './asking.js';
import { identity } from './session.js';

const EVERY_MS = 5000;

/** Nodes serve all orgs, so that only who may see all orgs is shown them. */
export function maySeeNodes(): boolean {
  return identity.value?.org === null;
}

/** The broker nodes, asked for again every few seconds; null: not known. With an error they are those of before. */
export function useNodes(): { readonly nodes: readonly NodeRow[] | null; readonly error: Error | null } {
  const [nodes, setNodes] = useState<readonly NodeRow[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    if (!maySeeNodes()) return;
    let isGone = false;
    async function ask(): Promise<void> {
      // A server that is silent is no better than one that cannot be reached.
      const signal = AbortSignal.timeout(EVERY_MS);
      try {
        const answer = await call<AdminAnswers['listNodes']>('GET', '/v1/admin/nodes', { signal });
        if (isGone) return;
        setNodes(answer.items);
        setError(null);
      } catch (failure) {
        if (!isGone) setError(failure as Error);
      }
    }
    const stop = every(EVERY_MS, () => void ask());
    return () => {
      isGone = true;
      stop();
    };
  }, []);
  return { nodes, error };
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
