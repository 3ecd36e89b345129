import { type Command, InvalidArgumentError } from 'commander';
import { isDay, readTime } from '../../base/rfc3339.js';
import { settingsTable } from '../../base/settings.js';
import { durationIn } from '../../protocol/durations.js';
import { environmentText } from '../configuration.js';
import { CommandFailure, exitCodes } from '../failure.js';
import { checkName, checkToken, originOf } from './access.js';
import { AdminApi } from './admin-api.js';
import { clean } from './clean.js';
import { canAsk, confirm } from './confirm.js';
import { developmentToken } from './development-token.js';
import { tableOf } from './table.js';

export interface DeskOptions {
  readonly url?: string;
  readonly token?: string;
  readonly org?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
}

/** The org that `soleseat dev` seeds. */
const DEVELOPMENT_ORG = 'acme';

/** What the commands of the license desk share: the API, the org, and how they print and ask. */
export interface Desk {
  readonly api: AdminApi;
  readonly isJson: boolean;
  /** The org in question; null: none was named, and the token is for all. */
  readonly org: string | null;
  /** Whether the token is for all orgs, so that any name of one is taken. */
  readonly isForAllOrgs: boolean;
  /** Whether somebody sits at the terminal. */
  readonly canAsk: boolean;
  /** `/v1/admin/orgs/<org>` and what follows, each part escaped. Throws where a URL cannot hold one. */
  orgPath(...parts: readonly string[]): string;
  /** One object: for people as two columns. */
  showOne(object: object): void;
  /**
   * Rows of the same shape: for people as a table that fits the terminal, for programs a JSON array. The expendable columns
   * are left out where there is no room.
   */
  showRows(
    rows: readonly object[],
    columns: Columns,
    whenEmpty: string,
    expendable?: readonly string[],
  ): void;
  /** A line for people, with foreign control characters taken out. */
  print(line: string): void;
  /** A text for the terminal, with foreign control characters taken out. */
  clean(text: string): string;
  /** A sentence for people; programs get the object. */
  say(sentence: string, object: object): void;
  /** Asks before something that cannot be undone. Throws where nobody can be asked and --yes was not given. */
  confirm(question: string): Promise<void>;
}

/** Heading → how a row's cell is got. */
export type Columns = Readonly<Record<string, (row: never) => unknown>>;

/** Adds the options that every command of the desk has. */
export function withDesk(
  command: Command,
  more: { readonly destructive?: boolean; readonly foundsOrg?: boolean } = {},
): Command {
  command
    .option('--url <url>', 'the broker’s admin address (SOLESEAT_ADMIN_URL; http://127.0.0.1:9090)')
    .option('--token <jwt>', 'an admin token (SOLESEAT_ADMIN_TOKEN; beside `soleseat dev`, one is made)')
    .option('--org <org>', 'the org (the token’s own, where it is for one org)')
    .option('--json', 'as JSON');
  if (more.destructive || more.foundsOrg) command.option('--yes', 'do not ask');
  if (more.foundsOrg) command.option('--new-org', 'also where there is no such org yet: it begins to exist');
  return command;
}

export async function deskFor(options: DeskOptions): Promise<Desk> {
  const url = originOf(options.url ?? environmentText('adminUrl') ?? settingsTable.adminUrl.default);
  const given = options.token ?? environmentText('adminToken');
  const token = given ?? (await developmentToken());
  if (token === null) {
    throw new CommandFailure(
      'an admin token is needed: --token, or SOLESEAT_ADMIN_TOKEN. `soleseat token mint --admin --org <org>` signs one.',
      exitCodes.usage,
    );
  }
  checkToken(token);
  const org = options.org ?? orgOf(token) ?? (given === null ? DEVELOPMENT_ORG : null);
  const isJson = options.json === true;
  const print = (value: unknown) => console.log(JSON.stringify(value, null, 2));
  return {
    api: new AdminApi({ url, token }),
    isJson,
    org,
    isForAllOrgs: orgOf(token) === null,
    canAsk: canAsk(),
    orgPath: (...parts) => {
      if (org === null)
        throw new CommandFailure('--org is needed: the token is for all orgs', exitCodes.usage);
      const names = [org, ...parts];
      names.forEach(checkName);
      return ['/v1/admin/orgs', ...names.map(encodeURIComponent)].join('/');
    },
    showOne: (object) => {
      if (isJson) return print(object);
      console.log(tableOf({ head: [], rows: flat(object).map(([name, value]) => [name, cell(value)]) }));
    },
    showRows: (rows, columns, whenEmpty, expendable = []) => {
      if (isJson) return print(rows);
      if (rows.length === 0) return console.log(whenEmpty);
      const cells = rows.map((row) => Object.values(columns).map((of) => cell(of(row as never))));
      const head = Object.keys(columns);
      console.log(tableOf({ head, rows: cells, width: process.stdout.columns, expendable }));
    },
    print: (line) => console.log(clean(line)),
    clean,
    say: (sentence, object) => (isJson ? print(object) : console.log(clean(sentence))),
    confirm: async (question) => {
      if (options.yes) return;
      await confirm(question).catch((error: unknown) => {
        if (!(error instanceof CommandFailure)) throw error;
        throw new CommandFailure(error.message, error.exitCode, { ...(org !== null && { org }) });
      });
    },
  };
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toFixed(2);
  return clean(String(value));
}

/** Nested objects as `outer.inner`. */
function flat(object: object, prefix = ''): [string, unknown][] {
  return Object.entries(object).flatMap(([name, value]): [string, unknown][] =>
    value !== null && typeof value === 'object' ? flat(value, `${prefix}${name}.`) : [[prefix + name, value]],
  );
}

/** The org that the token says it is for; null: all of them. The broker checks it; here it only saves typing. */
function orgOf(token: string): string | null {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      org?: unknown;
    };
    return typeof payload.org === 'string' && payload.org !== '*' ? payload.org : null;
  } catch {
    return null;
  }
}

/** CSV as it came, but for the line ends: those of this machine's tools. */
export async function printCsv(desk: Desk, response: Response): Promise<void> {
  for await (const line of desk.api.lines(response)) console.log(line.replace(/\r$/, ''));
}

/** A time for people: local, to the minute. */
export function when(time: string | null | undefined): string {
  if (!time) return '-';
  const date = new Date(time);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * A day like `2027-01-31` as it was given, or a time as in RFC 3339. The broker knows the org's time zone: a day ends with its
 * last moment there, and begins with its first.
 */
export function timeArgument(text: string): string {
  if (isDay(text)) return text;
  const ms = readTime(text);
  if (ms === null)
    throw new InvalidArgumentError('must be a day like 2027-01-31, or a time like 2027-01-31T12:00:00Z');
  return new Date(ms).toISOString();
}

export function countArgument(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

/** A duration like `30m` or `2h`, in ms. */
export function durationArgument(text: string): number {
  const ms = durationIn(text);
  if (ms === null) throw new InvalidArgumentError('must be a duration like 30m, 12h or 7d');
  return ms;
}
