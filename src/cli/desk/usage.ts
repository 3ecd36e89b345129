import { type Command, Option } from 'commander';
import { clockOf } from '../../base/calendar.js';
import type { AdminAnswers, RowOf } from '../../protocol/admin-answers.js';
import { type DeskOptions, deskFor, printCsv, timeArgument, withDesk } from './desk.js';

type UsageRow = RowOf<'getUsage'>;

interface UsageOptions extends DeskOptions {
  readonly by: 'hour' | 'day';
  readonly from?: string;
  readonly to?: string;
  readonly csv?: boolean;
}

const DAY_MS = 86_400_000;

/** `soleseat usage` */
export function registerUsage(program: Command): void {
  withDesk(program.command('usage'))
    .description('seats in use over time: the last two weeks by day, unless told otherwise')
    .addOption(new Option('--by <period>', 'a row for each').choices(['hour', 'day']).default('day'))
    .option('--from <time>', 'from when: an RFC 3339 time, or the first moment of a day', timeArgument)
    .option('--to <time>', 'until when: a time, or the last moment of a day', timeArgument)
    .addOption(new Option('--csv', 'as CSV').conflicts('json'))
    .action(async (options: UsageOptions) => {
      const desk = await deskFor(options);
      const to = options.to ?? new Date().toISOString();
      const query = { from: options.from ?? before(to, options.by), to, by: options.by };
      const path = desk.orgPath('usage');
      if (options.csv) {
        const response = await desk.api.open('GET', path, { query, headers: { accept: 'text/csv' } });
        return printCsv(desk, response);
      }
      const { items: rows, timeZone } = await desk.api.call<AdminAnswers['getUsage']>('GET', path, { query });
      const highest = Math.max(1, ...rows.map(({ peak }) => peak));
      const columns = {
        [options.by]: ({ day, at }: UsageRow) => day ?? clockOf(Date.parse(at), timeZone),
        peak: (one: UsageRow) => one.peak,
        ...(options.by === 'day' && { users: (one: UsageRow) => one.uniqueUsers }),
        grants: (one: UsageRow) => one.grants,
        takeovers: (one: UsageRow) => one.takeovers,
        denials: (one: UsageRow) => one.denials,
        'seat hours': (one: UsageRow) => one.seatHours.toFixed(1),
        '': (one: UsageRow) => '█'.repeat(Math.round((one.peak / highest) * 30)),
      };
      desk.showRows(rows, columns, 'Nothing in this time.');
      if (!desk.isJson) for (const line of notesOn(rows, timeZone)) desk.print(line);
    });
}

/** Where the rows begin that end at a time or a day: two weeks before, or a day before where they are hours. */
function before(to: string, by: 'hour' | 'day'): string {
  const isDay = to.length === 10;
  const days = by === 'day' ? 13 : isDay ? 0 : 1;
  const from = new Date(Date.parse(to) - days * DAY_MS).toISOString();
  return isDay ? from.slice(0, 10) : from;
}

/** Which zone the rows are in, and where they are less exact than the others. */
function notesOn(rows: readonly UsageRow[], timeZone: string): string[] {
  const lastOf = (marked: (row: UsageRow) => true | undefined) => {
    const last = rows.filter(marked).at(-1);
    return last && (last.day ?? clockOf(Date.parse(last.at), timeZone));
  };
  const wholeHours = lastOf((row) => row.wholeHours);
  const ofUtc = lastOf((row) => row.usersOfUtcDay);
  return [
    `Time zone: ${timeZone}.`,
    ...(wholeHours === undefined
      ? []
      : [`Up to ${wholeHours} the borders are exact to the hour of UTC only.`]),
    ...(ofUtc === undefined ? [] : [`Up to ${ofUtc} users were counted by the day of UTC.`]),
  ];
}
