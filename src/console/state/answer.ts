import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../api/client.js';
import { every, useAgain } from './asking.js';

/** What the API has answered so far. */
export interface Answer<T> {
  /** undefined: not known yet. With an error it is the one of before. */
  readonly value: T | undefined;
  readonly error: Error | null;
  /** Asks again at once. */
  readonly refresh: () => void;
}

interface Asking<T> {
  /** Also without a reason, every so often. */
  readonly everyMs?: number;
  /** Asks in another way than by one GET of the path. */
  readonly ask?: (signal: AbortSignal) => Promise<T>;
}

/**
 * Asks the API, and again while it is out of reach. Another path begins anew: what is known of one thing is never shown as
 * another's. A path of null asks nothing.
 */
export function useAnswer<T>(path: string | null, { everyMs, ask }: Asking<T> = {}): Answer<T> {
  const [known, setKnown] = useState<{ readonly path: string | null; readonly value: T } | null>(null);
  const [failed, setFailed] = useState<{ readonly path: string | null; readonly error: Error } | null>(null);
  const [turn, setTurn] = useState(0);
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  const latest = useRef(ask);
  latest.current = ask;
  const error = failed?.path === path ? failed.error : null;
  useAgain(error, refresh);

  useEffect(() => {
    if (path === null) return;
    const gone = new AbortController();
    const askNow = () => {
      const answer = latest.current?.(gone.signal) ?? call<T>('GET', path, { signal: gone.signal });
      answer.then(
        (value) => {
          if (gone.signal.aborted) return;
          setKnown({ path, value });
          setFailed(null);
        },
        (failure: Error) => {
          if (!gone.signal.aborted) setFailed({ path, error: failure });
        },
      );
    };
    if (everyMs === undefined) askNow();
    const stop = everyMs === undefined ? () => {} : every(everyMs, askNow);
    return () => {
      gone.abort();
      stop();
    };
  }, [path, turn, everyMs]);

  return { value: known !== null && known.path === path ? known.value : undefined, error, refresh };
}
