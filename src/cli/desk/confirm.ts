import { createInterface } from 'node:readline/promises';
import { CommandFailure, exitCodes } from '../failure.js';

interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

const standardTerminal: Terminal = { input: process.stdin, output: process.stderr };

/** Whether somebody can answer a question. */
export function canAsk({ input, output }: Terminal = standardTerminal): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/** Asks before something that cannot be undone. Throws unless the answer is yes, and where nobody can be asked. */
export async function confirm(question: string, terminal: Terminal = standardTerminal): Promise<void> {
  if (!canAsk(terminal)) {
    throw new CommandFailure(`${question} Nobody can be asked here: give --yes.`, exitCodes.usage);
  }
  const answer = await answerTo(`${question} [y/N] `, terminal);
  if (answer === null) {
    terminal.output.write('\n');
    throw new CommandFailure('nothing was changed', exitCodes.interrupted);
  }
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('nothing was changed', exitCodes.refused);
}

/** Null: Ctrl+C, Ctrl+D, or the terminal has gone. */
async function answerTo(question: string, terminal: Terminal): Promise<string | null> {
  const reader = createInterface(terminal);
  const closed = new Promise<null>((resolve) => reader.once('close', () => resolve(null)));
  const answer = await Promise.race([reader.question(question).catch(() => null), closed]);
  reader.close();
  return answer;
}
