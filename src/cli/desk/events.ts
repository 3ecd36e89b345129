import type { Command } from 'commander';
import type { AuditEvent } from '../../protocol/events.js';
import { type Desk, type DeskOptions, deskFor, timeArgument, withDesk } from './desk.js';

interface FilterOptions extends DeskOptions {
  readonly type?: string;
  readonly user?: string;
  readonly machine?: string;
  readonly reason?: string;
  readonly actor?: string;
  readonly from?: string;
  readonly until?: string;
}

/** `soleseat events …`: the audit trail. */
export function registerEvents(program: Command): void {
  const events = program.command('events').description('the audit trail: who did what, when and why');

  withFilter(withDesk(events.command('tail')))
    .description('the newest events, then those that come, until Ctrl+C')
    .option('--no-follow', 'end after the newest')
    .action(async ({ follow, ...options }: FilterOptions & { follow: boolean }) => {
      const desk = await deskFor(options);
      const filter = filterOf(options);
      // Before the list, so that nothing falls between it and the stream.
      const start = await newestEventId(desk);
      const newest: AuditEvent[] = [];
      for await (const one of desk.api.list<AuditEvent>(desk.orgPath('events'), filter, 20))
        newest.unshift(one);
      for (const one of newest) print(desk, one);
      const shown = new Set(newest.map(({ id }) => id));
      if (follow) await followEvents(desk, filter, ({ id }) => !shown.has(id), interrupted(), start);
    });

  withFilter(withDesk(events.command('export')))
    .description('all that is kept, or what the options choose, oldest first, one JSON object a line')
    .action(async (options: FilterOptions) => {
      const desk = await deskFor(options);
      const response = await desk.api.open('GET', desk.orgPath('events', 'export'), {
        query: filterOf(options),
      });
      for await (const line of desk.api.lines(response)) console.log(line);
    });
}

/** Where following begins; '0-0' in an empty trail. A stream that is not told loses what comes before its first event. */
async function newestEventId(desk: Desk): Promise<string> {
  for await (const { id } of desk.api.list<AuditEvent>(desk.orgPath('events'), {}, 1)) return id;
  return '0-0';
}

/** Prints the events after one, and those that come, until the signal. */
export async function followEvents(
  desk: Desk,
  filter: Readonly<Record<string, string | undefined>>,
  isWanted: (event: AuditEvent) => boolean,
  signal: AbortSignal,
  after?: string,
): Promise<void> {
  const start = after ?? (await newestEventId(desk));
  const stream = desk.api.follow<AuditEvent>(desk.orgPath('events', 'stream'), filter, signal, start);
  for await (const event of stream) if (isWanted(event)) print(desk, event);
}

/** A signal at Ctrl+C; the process ends with 130 then. */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort();
    process.exit(130);
  });
  return controller.signal;
}

function print(desk: Desk, event: AuditEvent): void {
  if (desk.isJson) {
    console.log(JSON.stringify(event));
    return;
  }
  const { at, type, user, userKey, machine, reason, actor, role, details } = event;
  const parts = [
    new Date(at).toLocaleTimeString('en-GB'),
    type.padEnd(21),
    (user ?? (userKey === undefined ? '' : '(forgotten)')).padEnd(20),
    machine && `on ${machine}`,
    reason && `because ${reason}`,
    actor && actor !== 'user' && `by ${actor}${role === undefined ? '' : ` (${role})`}`,
    ...Object.entries(details).map(([name, value]) => `${name}=${value}`),
  ];
  desk.print(parts.filter(Boolean).join('  '));
}

function withFilter(command: Command): Command {
  return command
    .option('--type <type>', 'only events of this type, like license.revoked; docs/events.md lists them')
    .option('--user <user>', 'only events about this user')
    .option('--machine <id>', 'only events on this machine')
    .option('--reason <reason>', 'only events for this reason')
    .option('--actor <name>', 'only what this one did: user, broker, or the sub of an admin token')
    .option(
      '--from <time>',
      'only from then on: an RFC 3339 time, or the first moment of a day',
      timeArgument,
    )
    .option('--until <time>', 'only until then: a time, or the last moment of a day', timeArgument);
}

function filterOf({ type, user, machine, reason, actor, from, until }: FilterOptions) {
  return { type, user, machine, reason, actor, from, until };
}
