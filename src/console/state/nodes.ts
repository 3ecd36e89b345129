import { useEffect, useState } from 'preact/hooks';
import { call } from '../api/client.js';
import type { NodeRow } from '../api/types.js';
import type { Tone } from '../parts/badge.js';
import { identity } from './session.js';

const EVERY_MS = 5000;

/** Nodes serve all orgs, so that only who may see all orgs is shown them. */
export function maySeeNodes(): boolean {
  return identity.value?.org === null;
}

/** The broker nodes, asked for again every few seconds; null: not known. */
export function useNodes(): { readonly nodes: readonly NodeRow[] | null; readonly error: Error | null } {
  const [nodes, setNodes] = useState<readonly NodeRow[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    if (!maySeeNodes()) return;
    let isGone = false;
    async function ask(): Promise<void> {
      if (document.hidden) return;
      try {
        const answer = await call<{ readonly items: readonly NodeRow[] }>('GET', '/v1/admin/nodes');
        if (isGone) return;
        setNodes(answer.items);
        setError(null);
      } catch (failure) {
        if (!isGone) setError(failure as Error);
      }
    }
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, []);
  return { nodes, error };
}

/** How a node is, in a word. */
export function nodeState({ isLive, state }: NodeRow): { readonly text: string; readonly tone: Tone } {
  if (!isLive) return { text: 'silent', tone: 'bad' };
  return state === 'draining' ? { text: 'draining', tone: 'warn' } : { text: 'ready', tone: 'good' };
}
