import { type Cause, causeNamed, causeOf, detailOf } from './causes.js';
import { BadCursor } from './paging.js';

/** Nothing was ended: the user is on leave, and nobody said that it is to end all the same. */
export class OnLeave extends Error {
  constructor(
    /** Unix ms by Redis's clock. */
    readonly leaveUntilMs: number,
  ) {
    super('the user is on leave');
  }
}

/** Redis is out of reach, too slow, or refuses its service. Nothing may be taken for granted; it is to be tried again. */
export class StoreUnavailable extends Error {
  readonly why: Cause;

  constructor(cause: unknown) {
    const why = causeOf(cause) ?? causeNamed('lost');
    super(`${why.says} (${detailOf(cause)})`, { cause });
    this.why = why;
  }

  /** Redis is at its maxmemory: live sessions go on, new ones cannot be had until somebody gives it more. */
  get isFull(): boolean {
    return this.why.kind === 'full';
  }
}

/**
 * Redis is well, and what it holds or answers is not: a record that cannot be read, a key of another type, a script
 * that fails. Trying again does not mend it. The code that catches it logs it, once.
 */
export class StoreDefect extends Error {
  /** `where` names what was being done, and for which org: Redis does not say which key is of a wrong type. */
  constructor(cause: unknown, where?: string) {
    const place = where === undefined ? '' : ` (${where})`;
    super(`what Redis holds cannot be used${place}: ${detailOf(cause)}`, { cause });
  }
}

/** Gives what an operation on Redis gives. Rejects with StoreUnavailable, StoreDefect or BadCursor. */
export async function reachStore<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storeError(error);
  }
}

/** What an error of Redis, of ioredis or of reading a reply is. */
export function storeError(error: unknown): StoreUnavailable | StoreDefect | BadCursor {
  if (error instanceof StoreUnavailable || error instanceof StoreDefect || error instanceof BadCursor)
    return error;
  return causeOf(error) === null ? new StoreDefect(error) : new StoreUnavailable(error);
}
