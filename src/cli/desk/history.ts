import { type Command, Option } from 'commander';
import type { HistoryLine } from '../../protocol/history.js';
import { CommandFailure, exitCodes } from '../failure.js';
import { type DeskOptions, deskFor, printCsv, timeArgument, when, withDesk } from './desk.js';

interface HistoryOptions extends DeskOptions {
  readonly from?: string;
  readonly until?: string;
  readonly csv?: boolean;
}

/** `soleseat history` */
export function registerHistory(program: Command): void {
  withDesk(program.command('history [user]'))
    .description(
      'what sessions a user had in the last 400 days, and what was refused; with --csv without a user, the sessions of all',
    )
    .option(
      '--from <time>',
      'what ended from then on: an RFC 3339 time, or the first moment of a day',
      timeArgument,
    )
    .option('--until <time>', 'what ended until then: a time, or the last moment of a day', timeArgument)
    .addOption(new Option('--csv', 'sessions as CSV, one line each').conflicts('json'))
    .action(async (user: string | undefined, { from, until, csv, ...options }: HistoryOptions) => {
      const desk = await deskFor(options);
      if (csv) {
        const query = { from, until, user };
        return printCsv(desk, await desk.api.open('GET', desk.orgPath('history-export'), { query }));
      }
      if (user === undefined)
        throw new CommandFailure('name a user, or give --csv for the sessions of all users', exitCodes.usage);
      const rows: HistoryLine[] = [];
      const path = desk.orgPath('history', user);
      for await (const one of desk.api.list<HistoryLine>(path, { from, until })) rows.push(one);
      const columns = {
        began: (one: HistoryLine) => when(one.kind === 'session' ? one.began : one.at),
        ended: (one: HistoryLine) => (one.kind === 'session' ? (when(one.ended) ?? '') : 'refused'),
        hours: (one: HistoryLine) => (one.kind === 'session' ? one.hours.toFixed(2) : ''),
        machine: ({ machine }: HistoryLine) => ('name' in machine && machine.name) || machine.id,
        program: (one: HistoryLine) => (one.kind === 'session' ? programOf(one.client) : ''),
        reason: (one: HistoryLine) => (one.kind === 'refusal' ? timesOf(one) : (one.reason ?? 'in use now')),
        by: (one: HistoryLine) => (one.kind === 'session' ? one.actor : ''),
      };
      desk.showRows(rows, columns, 'Nothing is on record in this time.');
      if (!desk.isJson && rows.length > 0) desk.print(`${totalHours(rows).toFixed(1)} hours in all.`);
    });
}

function programOf(client: { readonly name?: string; readonly version?: string } = {}): string {
  return [client.name, client.version].filter(Boolean).join(' ');
}

function timesOf({ reason, count }: { readonly reason: string; readonly count: number }): string {
  return count === 1 ? reason : `${reason}, ${count} times`;
}

function totalHours(rows: readonly HistoryLine[]): number {
  return rows.reduce((sum, one) => sum + (one.kind === 'session' ? one.hours : 0), 0);
}
