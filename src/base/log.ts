import { destination, type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on standard error, so that standard output stays for people and programs. */
export function createLog(level: string, nodeId: string): Log {
  return pino(
    {
      level,
      base: { nodeId },
      redact: {
        paths: ['token', '*.token', 'authorization', '*.authorization', 'secret', '*.secret'],
        censor: '[redacted]',
      },
    },
    destination(2),
  );
}
