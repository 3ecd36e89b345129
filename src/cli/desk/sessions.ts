import type { Command } from 'commander';
import type { AdminAnswers } from '../../protocol/admin-answers.js';
import { eventNames, eventTypes } from '../../protocol/event-types.js';
import { countArgument, type DeskOptions, deskFor, durationArgument, when, withDesk } from './desk.js';
import { followEvents, interrupted } from './events.js';

type LiveSession = AdminAnswers['getSession'];

const columns = {
  user: (one: LiveSession) => one.user,
  machine: (one: LiveSession) => one.machine.name ?? one.machine.id,
  since: (one: LiveSession) => when(one.since),
  idle: (one: LiveSession) => idleFor(one.activeAt),
  node: (one: LiveSession) =>
    one.onLeaveUntil
      ? `leave until ${when(one.onLeaveUntil)}`
      : one.nodeId.slice(-8) + (one.shared ? ' (shared)' : ''),
  session: (one: LiveSession) => one.sessionId,
};
const sessionEvents: readonly string[] = eventNames.filter((name) => eventTypes[name].half === 'traffic');

/** `soleseat session …` */
export function registerSessions(program: Command): void {
  const session = program.command('session').description('who has a seat, where, and since when');

  withDesk(session.command('list'))
    .description('live sessions')
    .option('--user <prefix>', 'only users that begin so')
    .option('--on-leave', 'only users who took their seat along')
    .option('--limit <n>', 'at most so many; without it, all', countArgument)
    .action(async (options: DeskOptions & { user?: string; onLeave?: boolean; limit?: number }) => {
      const desk = await deskFor(options);
      const rows: LiveSession[] = [];
      const found = desk.api.list<LiveSession>(
        desk.orgPath('sessions'),
        { user: options.user, ...(options.onLeave && { onLeave: 'true' }) },
        options.limit,
      );
      for await (const one of found) rows.push(one);
      desk.showRows(rows, columns, 'Nobody has a seat at present.', ['session', 'node']);
    });

  withDesk(session.command('show <user>'))
    .description('the live session of one user')
    .action(async (user: string, options: DeskOptions) => {
      const desk = await deskFor(options);
      desk.showOne(await desk.api.call<LiveSession>('GET', desk.orgPath('sessions', user)));
    });

  withDesk(session.command('evict <user>'), { destructive: true })
    .description('end the live session of a user')
    .option('--note <text>', 'why: for the audit trail')
    .option('--force', 'also where the user is on leave')
    .option(
      '--hold <duration>',
      'let the user get no seat for so long, like 30m or 12h; 0m lifts a hold',
      durationArgument,
    )
    .action(
      async (user: string, options: DeskOptions & { note?: string; hold?: number; force?: boolean }) => {
        const desk = await deskFor(options);
        const path = desk.orgPath('sessions', user, 'evict');
        await desk.confirm(`End the session of ${user} in org ${desk.org}?`);
        const json = {
          ...(options.note !== undefined && { note: options.note }),
          ...(options.hold !== undefined && { holdMs: options.hold }),
          ...(options.force && { forced: true }),
        };
        const answer = await desk.api.call<AdminAnswers['evictSession']>('POST', path, { json });
        const done = answer.evicted === null ? `${user} had no session` : `Evicted ${user}`;
        desk.say(done + holdSaid(options.hold, answer.holdUntil), answer);
      },
    );

  withDesk(session.command('watch'))
    .description('sessions as they begin and end, until Ctrl+C')
    .action(async (options: DeskOptions) => {
      const desk = await deskFor(options);
      await followEvents(desk, {}, ({ type }) => sessionEvents.includes(type), interrupted());
    });
}

/** For how long nobody has been at work, by the clock of this machine; a dash where the program does not tell. */
function idleFor(activeAt: string | null): string {
  if (activeAt === null) return '–';
  const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(activeAt)) / 60_000));
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}

function holdSaid(holdMs: number | undefined, until: string | null | undefined): string {
  if (holdMs === 0) return '; no hold is left';
  return until ? `; no seat until ${when(until)}` : '';
}
