import { type Command, Option } from 'commander';
import { v4 as uuidv4 } from 'uuid';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { CommandFailure, exitCodes } from '../failure.js';
import { checkName } from './access.js';
import {
  countArgument,
  type Desk,
  type DeskOptions,
  deskFor,
  printCsv,
  timeArgument,
  when,
  withDesk,
} from './desk.js';
import { importFile } from './license-import.js';
import { checkOrgExists } from './new-org.js';

type License = AdminAnswers['getLicense'];
type Changed = AdminAnswers['transferLicense'];

const columns = {
  user: (one: License) => one.user,
  status: (one: License) => one.status,
  issued: (one: License) => when(one.issuedAt),
  expires: (one: License) => one.expiresOn ?? when(one.expiresAt),
  'last used': (one: License) => when(one.lastUsedAt),
  license: (one: License) => one.id,
};

interface IssueOptions extends DeskOptions {
  readonly expires?: string;
  readonly note?: string;
  readonly newOrg?: boolean;
}

const DAY_FORM = '2027-01-31';
const DAY_MS = 86_400_000;

/** `soleseat license …`: what a license desk does all day. */
export function registerLicenses(program: Command): void {
  const license = program.command('license').description('issue, change, list and count licenses');

  withTerms(withDesk(license.command('issue <user>'), { foundsOrg: true }))
    .description('give a user a license')
    .option(
      '--expires <time>',
      'when it ends: 2027-01-31 (the last full day), or an RFC 3339 time',
      timeArgument,
    )
    .option('--note <text>', 'kept with the license and in the audit trail')
    .action(async (user: string, options: IssueOptions & TermOptions) => {
      const desk = await deskFor(options);
      checkName(user);
      await checkOrgExists(desk, options);
      const issued = await desk.api.call<License>('POST', desk.orgPath('licenses'), {
        json: {
          user,
          ...(options.expires && { expiresAt: options.expires }),
          ...termsOf(options),
          ...noteOf(options),
        },
        headers: { 'idempotency-key': uuidv4() },
      });
      desk.say(`Issued to ${user}: license ${issued.id}`, issued);
    });

  withDesk(license.command('list'))
    .description('licenses in the order of their issue')
    .addOption(
      new Option('--status <status>', 'only these').choices(['active', 'suspended', 'expired', 'revoked']),
    )
    .option('--limit <n>', 'at most so many; without it, all', countArgument)
    .action(async (options: DeskOptions & { status?: string; limit?: number }) => {
      const desk = await deskFor(options);
      await showLicenses(desk, 'licenses', { status: options.status }, options.limit, 'No licenses.');
    });

  withDesk(license.command('show <user>'))
    .description('the license of one user')
    .action(async (user: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      desk.showOne(await desk.api.call<License>('GET', desk.orgPath('licenses', user)));
    });

  change(license, 'suspend', 'take the right away for a while; a live session ends', 'Suspended', true);
  change(license, 'reinstate', 'give a suspended license its right back', 'Reinstated', false);
  change(license, 'revoke', 'take the license back and free its place; a live session ends', 'Revoked', true);

  withDesk(license.command('expire <user> <time>'), { destructive: true })
    .description(
      'set when the license ends: 2027-01-31 (the last full day), an RFC 3339 time, `now` (by the clock of this machine), or `never`',
    )
    .action(async (user: string, time: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      const expiresAt =
        time === 'never'
          ? null
          : time === 'now'
            ? new Date(Date.now() - 1000).toISOString()
            : parsedTime(time);
      const endMs = Date.parse(expiresAt ?? '') + (expiresAt?.length === DAY_FORM.length ? DAY_MS : 0);
      const path = desk.orgPath('licenses', user, 'expiry');
      if (endMs <= Date.now()) await desk.confirm(`End the license of ${user} in org ${desk.org} now?`);
      sayChanged(desk, await desk.api.call<Changed>('PUT', path, { json: { expiresAt } }), 'Changed');
    });

  withTerms(withDesk(license.command('terms <user>')))
    .description('change what goes along with a license; a session that runs goes on')
    .option('--note <text>', 'kept with the license and in the audit trail')
    .action(async (user: string, options: DeskOptions & TermOptions) => {
      const desk = await deskFor(options);
      const terms = termsOf(options);
      if (Object.keys(terms).length === 0)
        throw new CommandFailure(
          'nothing to change: --kind, --starts, --grace-days or --idle-exempt',
          exitCodes.usage,
        );
      const path = desk.orgPath('licenses', user);
      const json = { ...terms, ...noteOf(options) };
      sayChanged(desk, await desk.api.call<Changed>('PATCH', path, { json }), 'Changed');
    });

  withDesk(license.command('transfer <user> <to>'), { destructive: true })
    .description('move the license to a user who has none; a live session of the former ends')
    .option('--note <text>', 'kept with the license and in the audit trail')
    .option('--force', 'also where the user is on leave')
    .action(async (user: string, to: string, options: DeskOptions & { note?: string; force?: boolean }) => {
      const desk = await deskFor(options);
      checkName(to);
      const path = desk.orgPath('licenses', user, 'transfer');
      await desk.confirm(`Move the license of ${user} in org ${desk.org} to ${to}?`);
      const changed = await desk.api.call<Changed>('POST', path, { json: { to, ...noteOf(options) } });
      sayChanged(desk, changed, 'Transferred');
    });

  withDesk(license.command('note <user> [text]'))
    .description('write another note to the license; without a text, take it away')
    .action(async (user: string, text: string | undefined, options: DeskOptions) => {
      const desk = await deskFor(options);
      const path = desk.orgPath('licenses', user, 'note');
      const changed = await desk.api.call<Changed>('PUT', path, { json: { note: text ?? null } });
      desk.say(text === undefined ? `${user} has no note now` : `Noted: ${user}: ${text}`, changed);
    });

  withDesk(license.command('import <file>'), { foundsOrg: true })
    .description(
      'issue licenses from a CSV file (columns user, expiresAt, note, kind, startsAt, graceDays, idleExempt), as spreadsheets save it: all of them or none; - is stdin',
    )
    .action(async (file: string, options: DeskOptions & { newOrg?: boolean }) => {
      const desk = await deskFor(options);
      await checkOrgExists(desk, options);
      await importFile(desk, file);
    });

  withDesk(license.command('export'))
    .description('all licenses as CSV')
    .action(async (options: DeskOptions) => {
      if (options.json) {
        throw new CommandFailure(
          'an export is CSV; `soleseat license list --json` gives JSON',
          exitCodes.usage,
        );
      }
      const desk = await deskFor(options);
      await printCsv(desk, await desk.api.open('GET', desk.orgPath('license-export')));
    });

  withDesk(license.command('count'))
    .description('quota, issued, available, in use, and what happened so far')
    .action(async (options: DeskOptions) => {
      const desk = await deskFor(options);
      const { counts, settings } = await desk.api.call<AdminAnswers['getOrg']>('GET', desk.orgPath());
      desk.showOne({ quota: settings.quota, ...counts });
    });

  withDesk(license.command('recount'), { destructive: true })
    .description('compare every counter with the records')
    .option('--repair', 'set the counters to what the records say')
    .action(async (options: DeskOptions & { repair?: boolean }) =>
      recount(await deskFor(options), options.repair === true),
    );

  withDesk(license.command('unused'))
    .description('licenses that nobody used for a while: to be taken back')
    .option('--days <n>', 'for so many days', countArgument, 30)
    .option('--limit <n>', 'at most so many; without it, all', countArgument)
    .action(async (options: DeskOptions & { days: number; limit?: number }) => {
      const desk = await deskFor(options);
      const empty = `Every license was used within ${options.days} days.`;
      await showLicenses(desk, 'unused-licenses', { days: options.days }, options.limit, empty);
    });
}

function change(license: Command, name: string, what: string, done: string, destructive: boolean): void {
  withDesk(license.command(`${name} <user>`), { destructive })
    .description(what)
    .option('--note <text>', 'kept with the license and in the audit trail')
    .option('--force', 'also where the user is on leave')
    .action(async (user: string, options: DeskOptions & { note?: string; force?: boolean }) => {
      const desk = await deskFor(options);
      const path = desk.orgPath('licenses', user, name);
      if (destructive) await desk.confirm(`Really ${name} the license of ${user} in org ${desk.org}?`);
      sayChanged(desk, await desk.api.call<Changed>('POST', path, { json: noteOf(options) }), done);
    });
}

interface TermOptions {
  readonly kind?: string;
  readonly starts?: string;
  readonly graceDays?: number;
  readonly idleExempt?: boolean;
  readonly note?: string;
}

function withTerms(command: Command): Command {
  return command
    .option('--kind <text>', 'what it is, as trial; none: nothing')
    .option('--starts <time>', 'when it begins: 2027-01-31, or an RFC 3339 time; none: at once', (text) =>
      text === 'none' ? text : timeArgument(text),
    )
    .option('--grace-days <n>', 'for how many days after its end it holds', daysArgument)
    .option('--idle-exempt', 'no idle limit holds for it')
    .option('--no-idle-exempt', 'the idle limit of the org holds for it');
}

function daysArgument(text: string): number {
  return text === '0' ? 0 : countArgument(text);
}

function termsOf({ kind, starts, graceDays, idleExempt }: TermOptions) {
  return {
    ...(kind !== undefined && { kind: kind === 'none' ? null : kind }),
    ...(starts !== undefined && { startsAt: starts === 'none' ? null : starts }),
    ...(graceDays !== undefined && { graceDays }),
    ...(idleExempt !== undefined && { idleExempt }),
  };
}

async function showLicenses(
  desk: Desk,
  list: string,
  query: Readonly<Record<string, string | number | undefined>>,
  limit: number | undefined,
  whenEmpty: string,
): Promise<void> {
  const rows: License[] = [];
  for await (const one of desk.api.list<License>(desk.orgPath(list), query, limit)) rows.push(one);
  desk.showRows(rows, columns, whenEmpty, ['license', 'issued']);
}

function sayChanged(desk: Desk, changed: Changed, done: string): void {
  const { user, status, expiresAt, expiresOn } = changed.license;
  const ended = changed.endedSessionId === null ? '' : '; the live session was ended';
  const until = expiresAt === null ? '' : ` until ${expiresOn ?? when(expiresAt)}`;
  desk.say(`${done}: ${user} is ${status}${until}${ended}`, changed);
}

function noteOf({ note, force }: { readonly note?: string; readonly force?: boolean }) {
  return { ...(note !== undefined && { note }), ...(force && { forced: true }) };
}

function parsedTime(text: string): string {
  try {
    return timeArgument(text);
  } catch (error) {
    throw new CommandFailure(`<time> ${(error as Error).message}, or now, or never`, exitCodes.usage);
  }
}

type RecountResult = AdminAnswers['recountOrg'];

async function recount(desk: Desk, repair: boolean): Promise<void> {
  if (repair) await desk.confirm('Set the counters to what the records say?');
  const result = await desk.api.call<RecountResult>('POST', desk.orgPath('recount'), { json: { repair } });
  if (desk.isJson || result.differences.length === 0) {
    desk.say(`Counted ${result.licenses} licenses: every counter is right.`, result);
  } else {
    const of =
      <K extends keyof RecountResult['differences'][number]>(name: K) =>
      (one: RecountResult['differences'][number]) =>
        one[name];
    desk.showRows(
      result.differences,
      { counter: of('counter'), stored: of('stored'), counted: of('counted') },
      '',
    );
    console.log(result.repaired ? 'Repaired.' : 'Nothing was changed; --repair sets the counters.');
  }
  if (result.differences.length > 0 && !result.repaired) process.exitCode = exitCodes.failed;
}
