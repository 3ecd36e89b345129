#!/usr/bin/env node
import { exitCodes, tellFailure, wantsJson } from './failure.js';
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
  process.exitCode = tellFailure(error, wantsJson(process.argv));
  // The channel to its supervisor would keep a worker alive that has nothing to do.
  if (process.connected) process.exit();
}
