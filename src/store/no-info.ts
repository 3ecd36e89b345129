import type { Redis } from 'ioredis';

/** Services that keep INFO to themselves: then nothing tells that Redis is still loading but its own refusals. */
export function tolerateNoInfo(redis: Redis): void {
  const ask = redis.info.bind(redis) as (...args: unknown[]) => Promise<string>;
  redis.info = (async (...args: unknown[]) => {
    const callback =
      typeof args.at(-1) === 'function' ? (args.pop() as (error: unknown, text?: string) => void) : null;
    try {
      const text = await ask(...args);
      callback?.(null, text);
      return text;
    } catch (error) {
      // Only ioredis itself asks with a callback: whether the server is ready.
      if (callback === null) throw error;
      if (isWithheld(error)) callback(null, '');
      else callback(error);
      return '';
    }
  }) as typeof redis.info;
}

/** Whether a service does not have a command, or keeps it to itself. */
export function isWithheld(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(NOPERM|ERR unknown command|ERR .*(not (allowed|supported)|disabled))/i.test(error.message)
  );
}
