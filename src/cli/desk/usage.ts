import { type Command, Option } from 'commander';
import type { ListPage } from './admin-api.js';
import { type DeskOptions, deskFor, printCsv, timeArgument, withDesk } from './desk.js';

interface UsageRow {
  readonly at: string;
  readonly peak: number;
  readonly grants: number;
  readonly resumes: number;
  readonly takeovers: number;
  readonly denials: number;
  readonly seatHours: number;
  readonly uniqueUsers?: number;
}

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
    .option('--from <time>', 'from when: 2027-01-31, or an RFC 3339 time', timeArgument)
    .option('--to <time>', 'until when', timeArgument)
    .addOption(new Option('--csv', 'as CSV').conflicts('json'))
    .action(async (options: UsageOptions) => {
      const desk = await deskFor(options);
      const to = options.to ?? new Date().toISOString();
      const from =
        options.from ?? new Date(Date.parse(to) - (options.by === 'day' ? 13 : 1) * DAY_MS).toISOString();
      const query = { from, to, by: options.by };
      const path = desk.orgPath('usage');
      if (options.csv) {
        const response = await desk.api.open('GET', path, { query, headers: { accept: 'text/csv' } });
        return printCsv(desk, response);
      }
      const { items: rows } = await desk.api.call<ListPage<UsageRow>>('GET', path, { query });
      const highest = Math.max(1, ...rows.map(({ peak }) => peak));
      const columns = {
        [options.by]: (one: UsageRow) => (options.by === 'day' ? one.at.slice(0, 10) : one.at.slice(0, 16)),
        peak: (one: UsageRow) => one.peak,
        ...(options.by === 'day' && { users: (one: UsageRow) => one.uniqueUsers }),
        grants: (one: UsageRow) => one.grants,
        takeovers: (one: UsageRow) => one.takeovers,
        denials: (one: UsageRow) => one.denials,
        'seat hours': (one: UsageRow) => one.seatHours.toFixed(1),
        '': (one: UsageRow) => '█'.repeat(Math.round((one.peak / highest) * 30)),
      };
      desk.showRows(rows, columns, 'Nothing in this time.');
    });
}
