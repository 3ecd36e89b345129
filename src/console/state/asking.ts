import { useEffect } from 'preact/hooks';
import { Refusal } from '../api/client.js';

const AGAIN_MS = 5000;

/** Calls at once, then every so often while the page is seen, and when it comes into sight again. */
export function every(ms: number, ask: () => void): () => void {
  const askIfSeen = () => {
    if (!document.hidden) ask();
  };
  askIfSeen();
  const timer = setInterval(askIfSeen, ms);
  document.addEventListener('visibilitychange', askIfSeen);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', askIfSeen);
  };
}

/** Whether an error passes by itself: the server, or its Redis, is out of reach. */
function passes(error: Error | null): boolean {
  return error instanceof Refusal && (error.status === 0 || error.status === 503);
}

/** Asks again every few seconds for as long as the last answer was that the server or its Redis is out of reach. */
export function useAgain(error: Error | null, ask: () => void): void {
  useEffect(() => {
    if (!passes(error)) return;
    const timer = setInterval(() => {
      if (!document.hidden) ask();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [error, ask]);
}
