import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem } from './problem.js';
import { type Asker, keyOf } from './shares.js';

/** At a time, at this node. Each costs memory and asks Redis. */
const OF_A_TOKEN = 16;
const OF_AN_ORG = 32;
const OF_ALL = 512;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a stream needs to know of who asks. */
interface Request {
  readonly caller: Asker & { readonly expiresAtMs: number };
  readonly reply: { type(name: string): unknown; header(name: string, value: string): unknown };
  /** Aborted when they have gone. */
  readonly signal: AbortSignal;
}

/** The streams that are open at this node: so many of a token, of an org, and in all. An owner has to fit in with nobody. */
export class Streams {
  readonly #open = new Map<string, number>();

  constructor(private readonly wallMs: () => number) {}

  /**
   * Answers with a stream. It is read no faster than whoever asked reads, and ends when they have gone or their token
   * has run out. Throws 429 when their token or org has too many open, 503 when the node has.
   */
  answer(
    asker: Request,
    contentType: string,
    make: (signal: AbortSignal) => AsyncIterable<string>,
  ): Readable {
    const shares = sharesOf(asker.caller);
    const full = shares.find(({ key, most }) => (this.#open.get(key) ?? 0) >= most);
    if (full !== undefined) {
      const why = `too many streams are open ${full.says}`;
      throw new Problem(full.status, 'too_many_streams', why, {}, { 'Retry-After': '5' });
    }
    for (const { key } of shares) this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    // Whole: the timer takes no fractions, which the wall clock has.
    const leftMs = Math.max(0, Math.floor(asker.caller.expiresAtMs - this.wallMs()));
    // Not AbortSignal.any with AbortSignal.timeout, of which the garbage collector of Node 20 forgets some.
    const ended = new AbortController();
    const end = () => ended.abort();
    const timer = setTimeout(end, Math.min(leftMs, MAX_TIMER_MS)).unref();
    asker.signal.addEventListener('abort', end, { once: true });
    if (asker.signal.aborted) end();
    asker.reply.type(contentType);
    // No buffering by what stands in front: events are to be seen when they happen.
    asker.reply.header('X-Accel-Buffering', 'no');
    return Readable.from(make(ended.signal), { highWaterMark: 1 }).once('close', () => {
      clearTimeout(timer);
      asker.signal.removeEventListener('abort', end);
      for (const { key } of shares) this.#leave(key);
    });
  }

  #leave(key: string): void {
    const left = (this.#open.get(key) ?? 1) - 1;
    if (left === 0) this.#open.delete(key);
    else this.#open.set(key, left);
  }
}

/** What a stream of theirs is counted for. */
function sharesOf(caller: Asker) {
  const own = { key: `token ${keyOf(caller)}`, most: OF_A_TOKEN, status: 429, says: 'with this token' };
  if (caller.role === 'owner') return [{ ...own, most: OF_ALL }];
  const all = { key: 'all', most: OF_ALL, status: 503, says: 'at this node' };
  if (caller.org === null) return [own, all];
  return [own, { key: `org ${caller.org}`, most: OF_AN_ORG, status: 429, says: 'in this org' }, all];
}

/** One message of a `text/event-stream`. */
export function serverSentEvent(data: object, { id, name }: { id?: string; name?: string } = {}): string {
  const head = `${id === undefined ? '' : `id: ${id}\n`}${name === undefined ? '' : `event: ${name}\n`}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}

/** Keeps what stands between from closing a quiet stream. */
export const KEEP_ALIVE = ': still here\n\n';

/** Waits. False: whoever waited for it has gone. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
