/** Shorter than the timeout of a test, which would not say what was waited for. */
const PATIENCE_MS = 170_000;
const POLL_MS = 10;

type Condition = () => unknown;

/**
 * Polls until the condition gives something true, and gives it back. Where it never does, the error says what was waited
 * for (the words, or the condition's own code) and what the condition gave last. What it throws is thrown at once.
 */
export async function eventually<T>(condition: () => Promise<T> | T): Promise<T>;
export async function eventually<T>(what: string, condition: () => Promise<T> | T): Promise<T>;
export async function eventually(first: string | Condition, second?: Condition): Promise<unknown> {
  const condition = typeof first === 'string' ? (second ?? (() => true)) : first;
  const what = typeof first === 'string' ? first : String(first).replace(/\s+/g, ' ');
  const sinceMs = performance.now();
  for (;;) {
    const seen = await condition();
    if (seen) return seen;
    if (performance.now() - sinceMs > PATIENCE_MS) {
      throw new Error(
        `waited ${PATIENCE_MS / 1000} s for: ${what}\nlast seen: ${JSON.stringify(seen) ?? 'nothing'}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
