import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { getPage } from '../api/client.js';
import { useAgain } from '../state/asking.js';
import { Icon } from './icon.js';
import './pages.css';

export const PAGE_SIZE = 50;
/** A search of a large org comes in pieces, of which many may be empty: after so many requests the person decides. */
const REQUESTS_A_PAGE = 20;

export interface Pages<T> {
  readonly items: readonly T[];
  readonly isBusy: boolean;
  /** Whether the items are those that were asked for: an empty list is one then. */
  readonly isKnown: boolean;
  readonly error: Error | null;
  /** Counted from 1. */
  readonly number: number;
  readonly hasNext: boolean;
  readonly turn: (by: 1 | -1) => void;
  readonly refresh: () => void;
  /** Asks again, from the first page on. */
  readonly restart: () => void;
  /** Changes what is shown, without asking the server. */
  readonly update: (change: (items: readonly T[]) => readonly T[]) => void;
}

interface Shown<T> {
  /** What was asked for; null: nothing yet. */
  readonly wanted: string | null;
  readonly items: readonly T[];
  readonly next: string | null;
}

type Query = Readonly<Record<string, string | number | undefined>>;

/** A list of which the server gives one page after another. Another path or query begins it anew. */
export function usePages<T>(path: string, query: Query): Pages<T> {
  const wanted = JSON.stringify([path, query]);
  /** The cursors of the pages up to the one that is shown. */
  const [place, setPlace] = useState<{ wanted: string; cursors: readonly (string | null)[]; turn: number }>({
    wanted,
    cursors: [null],
    turn: 0,
  });
  const current = place.wanted === wanted ? place : { wanted, cursors: [null], turn: 0 };
  const [shown, setShown] = useState<Shown<T>>({ wanted: null, items: [], next: null });
  const [isBusy, setBusy] = useState(true);
  const [error, setError] = useState<Error | null>(null);
  const cursor = current.cursors.at(-1) ?? null;
  const latest = useRef({ path, query, current });
  latest.current = { path, query, current };

  useEffect(() => {
    const gone = new AbortController();
    setBusy(true);
    fillPage<T>(latest.current.path, latest.current.query, cursor, gone.signal)
      .then(
        (page) => {
          setShown({ wanted, ...page });
          setError(null);
        },
        (failure: Error) => {
          if (!gone.signal.aborted) setError(failure);
        },
      )
      .finally(() => {
        if (!gone.signal.aborted) setBusy(false);
      });
    return () => gone.abort();
  }, [wanted, cursor, current.turn]);

  const refresh = useCallback(() => {
    const { current: shownNow } = latest.current;
    setPlace({ ...shownNow, turn: shownNow.turn + 1 });
  }, []);
  // Not while an answer is awaited: asking again would give that one up.
  useAgain(isBusy ? null : error, refresh);

  return {
    items: shown.items,
    isKnown: shown.wanted === wanted && error === null,
    isBusy,
    error,
    number: current.cursors.length,
    hasNext: shown.next !== null,
    turn: (by) => {
      const cursors = by === 1 ? [...current.cursors, shown.next] : current.cursors.slice(0, -1);
      setPlace({ ...current, cursors: cursors.length === 0 ? [null] : cursors });
    },
    refresh,
    restart: () => setPlace({ wanted, cursors: [null], turn: current.turn + 1 }),
    update: (change) => setShown((was) => ({ ...was, items: change(was.items) })),
  };
}

async function fillPage<T>(path: string, query: Query, cursor: string | null, signal: AbortSignal) {
  const items: T[] = [];
  let next = cursor;
  for (let request = 0; request < REQUESTS_A_PAGE; request += 1) {
    const page = await getPage<T>(path, { limit: PAGE_SIZE - items.length, ...query, cursor: next }, signal);
    items.push(...page.items);
    next = page.next;
    if (next === null || items.length >= PAGE_SIZE) break;
  }
  return { items, next };
}

/** Turns the pages of a list. */
export function Pager({
  pages,
  label,
}: {
  readonly pages: Omit<Pages<unknown>, 'update'>;
  readonly label: string;
}) {
  const { number, hasNext, isBusy, turn } = pages;
  if (number === 1 && !hasNext) return null;
  return (
    <nav class="pager" aria-label={label}>
      <button type="button" class="button" disabled={number === 1 || isBusy} onClick={() => turn(-1)}>
        <Icon name="back" /> Previous
      </button>
      <span aria-live="polite">Page {number}</span>
      <button type="button" class="button" disabled={!hasNext || isBusy} onClick={() => turn(1)}>
        Next <Icon name="next" />
      </button>
    </nav>
  );
}
