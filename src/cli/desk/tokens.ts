import type { Command } from 'commander';
import type { AdminAnswers, RowOf } from '../../protocol/admin-answers.js';
import { CommandFailure, exitCodes } from '../failure.js';
import { type DeskOptions, deskFor, timeArgument, when, withDesk } from './desk.js';

interface RevokeOptions extends DeskOptions {
  readonly user?: string;
  readonly jti?: string;
  readonly before?: string;
  readonly note?: string;
}

type Revocation = RowOf<'listRevocations'>;

/** `soleseat token revoke` and `token revoked`: beside `token mint`, which needs no broker. */
export function registerTokens(token: Command): void {
  withDesk(token.command('revoke'), { destructive: true })
    .description('refuse tokens before their end: one, or all of a user; the session under them ends')
    .option('--user <user>', 'all of the user that were issued up to now')
    .option('--before <time>', 'or those issued before this day or RFC 3339 time', timeArgument)
    .option('--jti <id>', 'the one token with this id')
    .option('--note <text>', 'why: for the audit trail')
    .action(async (options: RevokeOptions) => {
      const desk = await deskFor(options);
      const { user, jti, before, note } = options;
      if (user === undefined && jti === undefined)
        throw new CommandFailure('give --user <user>, or --jti <id>', exitCodes.usage);
      const issued = before === undefined ? '' : ` issued before ${before}`;
      const what = jti === undefined ? `the tokens of ${user}${issued}` : `the token ${jti}`;
      await desk.confirm(`Refuse ${what} from now on?`);
      const given = { user, jti, before, note };
      const json = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const path = desk.orgPath('revocations');
      const answer = await desk.api.call<AdminAnswers['revokeTokens']>('POST', path, { json });
      const ended = answer.endedSessionId === null ? '' : '; the live session was ended';
      desk.say(`Refused from now on: ${what}${ended}`, answer);
    });

  withDesk(token.command('revoked'))
    .description('which tokens are refused before their end')
    .action(async (options: DeskOptions) => {
      const desk = await deskFor(options);
      const rows: Revocation[] = [];
      for await (const one of desk.api.list<Revocation>(desk.orgPath('revocations'))) rows.push(one);
      const columns = {
        user: (one: Revocation) => one.user ?? '–',
        token: (one: Revocation) => one.jti ?? 'all',
        'issued up to, or revoked': (one: Revocation) => when(one.at),
      };
      desk.showRows(rows, columns, 'No tokens are revoked.');
    });
}
