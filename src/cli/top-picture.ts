import type { AdminAnswers, RowOf } from '../protocol/admin-answers.js';
import type { AuditEvent } from '../protocol/events.js';

/** What one picture shows. */
export interface TopState {
  readonly org: string | null;
  readonly overview: AdminAnswers['watchOverview'];
  /** Sessions at each second so far, the newest last. */
  readonly history: readonly number[];
  readonly nodes: readonly RowOf<'listNodes'>[];
  readonly events: readonly AuditEvent[];
}

const blocks = ' ▁▂▃▄▅▆▇█';
const BAR_WIDTH = 30;

/** The picture as lines, each at most `columns` wide and no more than `rows`. */
export function topPicture(state: TopState, columns: number, rows: number): string[] {
  const { org, overview, history, nodes, events } = state;
  const { active, issued, quota, peak, takeoversPerMinute, nodeEvictionLatency, redis } = overview;
  const lines = [
    `Soleseat  ${org ?? 'all orgs'}  ${new Date(overview.at).toLocaleTimeString('en-GB')}  Redis ${redis.up ? 'up' : 'OUT OF REACH'}`,
    '',
    `  active now   ${pad(active)}  ${sparkline(history, Math.max(10, columns - 24))}`,
    `  issued       ${pad(issued)}  ${quota === null ? 'no quota' : `${bar(issued, quota)} of ${quota}`}`,
    `  peak         ${pad(peak)}`,
    `  takeovers    ${pad(takeoversPerMinute)}  in the last minute`,
    `  told within  ${latency(nodeEvictionLatency).padStart(7)}  ms: half of the evictions at this node, in 5 minutes`,
    '',
    `  ${'node'.padEnd(10)}${'state'.padEnd(12)}${'sessions'.padStart(9)}  address`,
    ...nodes.map(nodeLine),
    '',
    ...events.map(eventLine),
  ];
  return lines.slice(0, Math.max(1, rows - 1)).map((line) => [...line].slice(0, columns).join(''));
}

function nodeLine({ nodeId, isLive, state, sessions, publicAddress }: RowOf<'listNodes'>): string {
  const shown = isLive ? (state ?? 'ready') : 'silent';
  return `  ${nodeId.slice(-8).padEnd(10)}${shown.padEnd(12)}${String(sessions ?? '-').padStart(9)}  ${publicAddress ?? ''}`;
}

function eventLine({ at, type, user = '', machine, reason }: AuditEvent): string {
  const time = new Date(at).toLocaleTimeString('en-GB');
  return `  ${time}  ${type.padEnd(21)} ${user.padEnd(16)} ${[machine, reason].filter(Boolean).join('  ')}`;
}

function pad(count: number): string {
  return String(count).padStart(7);
}

function latency(median: AdminAnswers['watchOverview']['nodeEvictionLatency']): string {
  if (median === null) return '-';
  return `${median.isOver ? '>' : ''}${median.medianMs}`;
}

function bar(count: number, of: number): string {
  const full = of === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.round((count / of) * BAR_WIDTH));
  return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
}

/** The newest numbers as a row of blocks, from none to the highest among them. */
export function sparkline(numbers: readonly number[], width: number): string {
  const shown = numbers.slice(-width);
  const highest = Math.max(1, ...shown);
  return shown.map((number) => blocks[Math.round((number / highest) * (blocks.length - 1))]).join('');
}
