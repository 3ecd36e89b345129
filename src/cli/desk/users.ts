import type { Command } from 'commander';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { checkName } from './access.js';
import { type DeskOptions, deskFor, durationArgument, when, withDesk } from './desk.js';

interface NoteOptions extends DeskOptions {
  readonly note?: string;
  readonly force?: boolean;
}

/** `soleseat user …`: what is done to a user as a whole. */
export function registerUsers(program: Command): void {
  const user = program.command('user').description('users: their names, holds, and forgetting them');

  withDesk(user.command('show <user>'))
    .description('whether anything is known of a user, and whether the user is held')
    .action(async (name: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      desk.showOne(await desk.api.call<AdminAnswers['getUser']>('GET', desk.orgPath('users', name)));
    });

  withDesk(user.command('hold <user>').argument('<duration>', 'for how long', durationArgument))
    .description('let a user get no seat for so long, like 30m or 12h; a live session goes on')
    .option('--note <text>', 'why: for the audit trail')
    .action(async (name: string, holdMs: number, options: NoteOptions) => {
      const desk = await deskFor(options);
      const json = { holdMs, ...noteOf(options) };
      const path = desk.orgPath('users', name, 'hold');
      const held = await desk.api.call<AdminAnswers['holdUser']>('PUT', path, { json });
      desk.say(`${name} gets no seat until ${when(held.holdUntil)}`, held);
    });

  withDesk(user.command('lift <user>'))
    .description('let a user in again who is held')
    .action(async (name: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      await desk.api.call('DELETE', desk.orgPath('users', name, 'hold'));
      desk.say(`${name} is not held`, { user: name, hold: null });
    });

  withDesk(user.command('rename <user> <to>'), { destructive: true })
    .description('give a user another name; license, machines and history go along, a live session ends')
    .option(
      '--alias <duration>',
      'for how long tokens with the old name come in; 24h unless told otherwise',
      durationArgument,
    )
    .option('--note <text>', 'why: for the audit trail')
    .option('--force', 'also where the user is on leave')
    .action(async (name: string, to: string, options: NoteOptions & { alias?: number }) => {
      const desk = await deskFor(options);
      checkName(to);
      const path = desk.orgPath('users', name, 'rename');
      await desk.confirm(`Rename ${name} of org ${desk.org} to ${to}? A live session ends.`);
      const json = { to, ...(options.alias !== undefined && { aliasMs: options.alias }), ...noteOf(options) };
      desk.say(
        `${name} is ${to} now`,
        await desk.api.call<AdminAnswers['renameUser']>('POST', path, { json }),
      );
    });

  withDesk(user.command('forget <user>'), { destructive: true })
    .description('delete all that names a user; the audit trail stays, without the name')
    .option('--preview', 'only tell what would go')
    .option('--note <text>', 'why: for the audit trail')
    .option('--force', 'also where the user is on leave')
    .action(async (name: string, options: NoteOptions & { preview?: boolean }) => {
      const desk = await deskFor(options);
      const path = desk.orgPath('users', name, 'forget');
      const ask = (json: object) => desk.api.call<AdminAnswers['forgetUser']>('POST', path, { json });
      const before = await ask({ preview: true });
      if (options.preview) return desk.showOne(before);
      const traces = `license ${before.license ?? 'none'}, ${before.machines} machines, ${before.sessions} lines of history`;
      const session = before.hasSession ? ' A live session ends.' : '';
      await desk.confirm(`Forget ${name} of org ${desk.org} (${traces})?${session} It cannot be undone.`);
      desk.say(`${name} is forgotten`, await ask(noteOf(options)));
    });
}

function noteOf({ note, force }: NoteOptions) {
  return { ...(note !== undefined && { note }), ...(force && { forced: true }) };
}
