/** Exit codes, as sysexits.h names them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unavailable: 69,
  refused: 77,
  config: 78,
  interrupted: 130,
} as const;

const codeOfExit: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(exitCodes).map(([name, code]) => [code, name]),
);

/** What a program is told of a failure beside the sentence: `code`, and what the failure is about. */
export interface FailureFacts {
  readonly code?: string;
  readonly org?: string;
  readonly user?: string;
  readonly [name: string]: unknown;
}

/** Ends a command with a sentence for the person and a code for the shell. */
export class CommandFailure extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
    readonly facts: FailureFacts = {},
  ) {
    super(message);
  }
}

/** Whether a command was called with --json. What stands behind `--` belongs to another program. */
export function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** Tells on stderr why a command failed: a sentence, or one line of JSON. Gives the exit code. */
export function tellFailure(error: unknown, isJson: boolean): number {
  const { message, exitCode, facts, isTold } = readFailure(error);
  if (exitCode === exitCodes.ok) return exitCode;
  if (isJson) {
    const code = codeOfExit[exitCode] ?? 'failed';
    console.error(JSON.stringify({ error: { code, message, exitCode, ...facts } }));
  } else if (!isTold) {
    console.error(message);
  }
  return exitCode;
}

interface ReadFailure {
  readonly message: string;
  readonly exitCode: number;
  readonly facts: FailureFacts;
  /** commander has already told the person what is wrong with the words of the call. */
  readonly isTold?: boolean;
}

function readFailure(error: unknown): ReadFailure {
  if (error instanceof CommandFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  const { code, exitCode } = error as { code?: string; exitCode?: number };
  if (!code?.startsWith('commander.')) return { message, exitCode: exitCodes.failed, facts: {} };
  const sentence = code === 'commander.help' ? 'the call names no command' : message.replace(/^error: /, '');
  return {
    message: sentence,
    exitCode: exitCode === 0 ? exitCodes.ok : exitCodes.usage,
    facts: {},
    isTold: true,
  };
}
