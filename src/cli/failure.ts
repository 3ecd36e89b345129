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

/** Ends a command with a sentence for the person and a code for the shell. */
export class CommandFailure extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}
