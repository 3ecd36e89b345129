#!/usr/bin/env node
import { CommandFailure, exitCodes } from './failure.js';
import { program } from './program.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that has seen enough (`| head`) is no error. A full disk is: half an export must not pass for a whole one.
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  console.error(`the output could not be written: ${error.message}`);
  process.exit(exitCodes.failed);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommandFailure) {
    console.error(error.message);
    return error.exitCode;
  }
  // commander has already told the person what is wrong with the words of the call.
  const { code, exitCode } = error as { code?: string; exitCode?: number };
  if (code?.startsWith('commander.')) return exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  console.error(error instanceof Error ? error.message : String(error));
  return exitCodes.failed;
}
