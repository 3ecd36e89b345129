import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type Log = Logger;

const WARN = 40;
/** A write costs more than a line: what is not urgent waits for this many characters, or for this long. */
const BATCH_CHARS = 4096;
const BATCH_MS = 100;

let shared: LogSink | null = null;

/**
 * JSON lines on standard error, so that standard output stays for people and programs. Lines below `warn` may
 * come up to 100 ms late, always in order; a process that is killed with SIGKILL takes those with it.
 */
export function createLog(level: string, nodeId: string): Log {
  shared ??= new LogSink(destination({ dest: 2, sync: true }));
  return pino(
    {
      level,
      base: { nodeId },
      formatters: { log: withoutSecrets },
    },
    shared,
  );
}

type Fields = Record<string, unknown>;
const secretNames: ReadonlySet<string> = new Set(['token', 'authorization', 'secret']);

/**
 * The fields with `[redacted]` in the place of secrets, also of those one level down. Nearly always there are none,
 * and then it is the same object: pino's own redaction would copy the fields of every line.
 */
function withoutSecrets(fields: Fields): Fields {
  for (const name in fields) {
    if (secretNames.has(name) || hasSecret(fields[name])) return redacted(fields);
  }
  return fields;
}

function hasSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (const name in value) if (secretNames.has(name)) return true;
  return false;
}

function redacted(fields: Fields): Fields {
  const pairs = Object.entries(fields).map(([name, value]) => {
    if (secretNames.has(name)) return [name, '[redacted]'];
    return [name, hasSecret(value) ? redacted(value as Fields) : value];
  });
  return Object.fromEntries(pairs);
}

/** Gathers lines into few writes. One for the process: a second one would mix up the order. */
class LogSink implements DestinationStream {
  /** Asks pino for `lastLevel` before each line. */
  readonly [pino.symbols.needsMetadataGsym] = true;
  lastLevel = 0;
  #lines = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly out: { write(lines: string): unknown; flushSync(): void }) {
    process.on('exit', () => {
      // Also after an exception that nobody caught.
      this.#flush();
      out.flushSync();
    });
  }

  write(line: string): void {
    this.#lines += line;
    if (this.lastLevel >= WARN || this.#lines.length >= BATCH_CHARS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS).unref();
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.out.write(lines);
  }
}
