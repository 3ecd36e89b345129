import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AdminAnswers, RowOf } from '../../protocol/admin-answers.js';
import { CommandFailure, exitCodes } from '../failure.js';
import { type Desk, type DeskOptions, deskFor, durationArgument, timeArgument, withDesk } from './desk.js';
import { checkOrgExists } from './new-org.js';

type OrgSummary = RowOf<'listOrgs'>;

/** Takes a setting away: commander makes an empty text of null. */
type None = 'none';

interface SetOptions extends DeskOptions {
  readonly quota?: string;
  readonly newOrg?: boolean;
  readonly mode?: string;
  readonly containers?: string;
  readonly machines?: string;
  readonly addresses?: string;
  readonly timeZone?: string;
  readonly letterCase?: string;
  readonly maxActive?: number | None;
  readonly overdraft?: number | None;
  readonly minVersion?: Readonly<Record<string, string>> | None;
  readonly minVersionFrom?: string | None;
  readonly idleLimit?: number | None;
  readonly leaveMax?: number | None;
  readonly leaveReturn?: string;
  readonly sameMachine?: string;
  readonly askWait?: number | None;
  readonly askRefusal?: string;
}

/** `soleseat org …` */
export function registerOrgs(program: Command): void {
  const org = program.command('org').description('orgs, their quota and settings');

  withDesk(org.command('list'))
    .description('every org that the token may see')
    .action(async (options: DeskOptions) => {
      const desk = await deskFor(options);
      const rows: OrgSummary[] = [];
      for await (const one of desk.api.list<OrgSummary>('/v1/admin/orgs')) rows.push(one);
      const columns = {
        org: (one: OrgSummary) => one.org,
        quota: (one: OrgSummary) => one.quota,
        issued: (one: OrgSummary) => one.issued,
        available: (one: OrgSummary) => one.available,
        'active now': (one: OrgSummary) => one.active,
        peak: (one: OrgSummary) => one.peak,
      };
      desk.showRows(
        rows,
        columns,
        'No orgs yet: `soleseat org set --org <org> --quota <n> --new-org` begins one.',
      );
    });

  withDesk(org.command('show'))
    .description('settings and counts of the org')
    .action(async (options: DeskOptions) => {
      const desk = await deskFor(options);
      desk.showOne(await desk.api.call<AdminAnswers['getOrg']>('GET', desk.orgPath()));
    });

  withDesk(org.command('set'), { foundsOrg: true })
    .description('change settings of the org; `default` takes one of its own away')
    .option('--quota <n>', 'how many licenses may be issued; none: no limit', quotaArgument)
    .addOption(
      new Option('--mode <mode>', 'what a user needs').choices(['required', 'auto', 'open', 'default']),
    )
    .addOption(
      new Option('--containers <rule>', 'whether containers come in').choices(['allow', 'deny', 'default']),
    )
    .addOption(
      new Option('--machines <rule>', 'which machines come in').choices(['any', 'listed', 'default']),
    )
    .addOption(
      new Option('--addresses <rule>', 'whether the history tells the address of a session').choices([
        'keep',
        'default',
      ]),
    )
    .option('--time-zone <zone>', 'what a day is of, as Europe/Berlin; no end that is set moves')
    .addOption(
      new Option('--letter-case <rule>', 'whether Ada and ada are one user').choices(['ignore', 'default']),
    )
    .option(
      '--max-active <n>',
      'how many users may have a seat at once; none: no limit',
      noneOr(wholeArgument),
    )
    .option(
      '--overdraft <percent>',
      'by how many per cent more; that is counted and told',
      noneOr(wholeArgument),
    )
    .option(
      '--min-version <program=version...>',
      'the least versions, in place of all that are set: one for each program, as Editor=4.2; none: any',
      versionArgument,
    )
    .option(
      '--min-version-from <time>',
      'from when on older versions are refused: 2027-01-31, or an RFC 3339 time; until then an event tells; none: at once',
      noneOr(timeArgument),
    )
    .option(
      '--ask-wait <duration>',
      'how long a holder who is asked for the seat may think, like 15s; none: 15 s',
      noneOr(durationArgument),
    )
    .addOption(
      new Option('--ask-refusal <rule>', 'whether a no keeps the seat for a minute').choices([
        'final',
        'default',
      ]),
    )
    .option(
      '--leave-max <duration>',
      'for how long a seat may be taken along offline, like 7d; none: it may not',
      noneOr(durationArgument),
    )
    .addOption(
      new Option(
        '--leave-return <rule>',
        'bound: after an early return from a leave no other machine gets the seat until the ticket has ended',
      ).choices(['bound', 'default']),
    )
    .addOption(
      new Option(
        '--same-machine <rule>',
        'share: programs of one user on one machine hold one session together',
      ).choices(['share', 'default']),
    )
    .option(
      '--idle-limit <duration>',
      'for how long nobody may be at work before a session ends, like 30m; none: for ever',
      noneOr(durationArgument),
    )
    .action(async (options: SetOptions) => {
      const desk = await deskFor(options);
      const changes = {
        ...(options.quota !== undefined && { quota: quotaOf(options.quota) }),
        ...orDefault('licenseMode', options.mode),
        ...orDefault('containers', options.containers),
        ...orDefault('machines', options.machines),
        ...orDefault('addresses', options.addresses),
        ...orDefault('timeZone', options.timeZone),
        ...orDefault('letterCase', options.letterCase),
        ...given('maxActive', options.maxActive),
        ...given('maxActiveOverdraft', options.overdraft),
        ...given('minVersion', options.minVersion),
        ...given('minVersionFrom', options.minVersionFrom),
        ...given('idleLimitMs', options.idleLimit),
        ...given('leaveMaxMs', options.leaveMax),
        ...orDefault('leaveReturn', options.leaveReturn),
        ...orDefault('sameMachine', options.sameMachine),
        ...given('askWaitMs', options.askWait),
        ...orDefault('askRefusal', options.askRefusal),
      };
      if (Object.keys(changes).length === 0) {
        throw new CommandFailure(
          'nothing to set: soleseat org set --help shows what there is',
          exitCodes.usage,
        );
      }
      await checkOrgExists(desk, options);
      desk.showOne(
        await desk.api.call<AdminAnswers['changeOrg']>('PATCH', desk.orgPath(), { json: changes }),
      );
    });

  suspension(org, 'suspend', 'keep all of the org out; its sessions end, no license changes');
  suspension(org, 'reinstate', 'let a suspended org in again');

  withDesk(org.command('recount'), { destructive: true })
    .description('add up all orgs and compare with the totals; needs a token for all orgs')
    .option('--repair', 'set the totals to the sums')
    .action(async (options: DeskOptions & { repair?: boolean }) =>
      recount(await deskFor(options), options.repair === true),
    );
}

function suspension(org: Command, name: 'suspend' | 'reinstate', what: string): void {
  withDesk(org.command(name), { destructive: name === 'suspend' })
    .description(what)
    .option('--note <text>', 'why: for the audit trail')
    .action(async (options: DeskOptions & { note?: string }) => {
      const desk = await deskFor(options);
      if (name === 'suspend') await desk.confirm(`Keep all of ${desk.org} out, and end its sessions?`);
      const json = options.note === undefined ? {} : { note: options.note };
      const answer = await desk.api.call<AdminAnswers['suspendOrg']>('POST', desk.orgPath(name), { json });
      const ending = answer.ending === 0 ? '' : `; ${answer.ending} sessions are being ended`;
      desk.say(`${desk.org} is ${name === 'suspend' ? 'suspended' : 'let in again'}${ending}`, answer);
    });
}

/** `none` takes a setting away. */
function noneOr<T>(read: (text: string) => T): (text: string) => T | None {
  return (text) => (text === 'none' ? text : read(text));
}

function given(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value === 'none' ? null : value };
}

function wholeArgument(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number, or none');
  return Number(text);
}

function versionArgument(
  text: string,
  before: Readonly<Record<string, string>> | None = {},
): Readonly<Record<string, string>> | None {
  if (text === 'none') return text;
  const [, program, version] = /^(.+)=(\d+(?:\.\d+)*)$/.exec(text) ?? [];
  if (program === undefined || version === undefined)
    throw new InvalidArgumentError('must be like Editor=4.2, or none');
  return { ...(before === 'none' ? {} : before), [program]: version };
}

type RecountResult = AdminAnswers['recountOrgs'];

async function recount(desk: Desk, repair: boolean): Promise<void> {
  if (repair) await desk.confirm('Set the totals to the sums over all orgs?');
  const result = await desk.api.call<RecountResult>('POST', '/v1/admin/recount', { json: { repair } });
  if (desk.isJson || result.differences.length === 0) {
    desk.say(`Added up ${result.orgs} orgs: every total is right.`, result);
  } else {
    type Row = RecountResult['differences'][number];
    const columns = {
      total: ({ total }: Row) => total,
      stored: ({ stored }: Row) => stored,
      counted: ({ counted }: Row) => counted,
    };
    desk.showRows(result.differences, columns, '');
    console.log(result.repaired ? 'Repaired.' : 'Nothing was changed; --repair sets the totals.');
  }
  if (result.differences.length > 0 && !result.repaired) process.exitCode = exitCodes.failed;
}

function orDefault(name: string, choice: string | undefined): Record<string, string | null> {
  return choice === undefined ? {} : { [name]: choice === 'default' ? null : choice };
}

/** Checks only: what a parser of an option gives as null, commander hands over as an empty text. */
function quotaArgument(text: string): string {
  if (!/^(none|\d{1,9})$/.test(text)) throw new InvalidArgumentError('must be a whole number, or none');
  return text;
}

function quotaOf(text: string): number | null {
  return text === 'none' ? null : Number(text);
}
