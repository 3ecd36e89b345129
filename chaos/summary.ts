import { type Excuse, excuses } from './checks/excuses.js';
import type { RunResult } from './run.js';

export interface OverlapSummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The longest that one of them was allowed. */
  readonly allowedMs: number;
}

/** What one run, or several together, did and measured. */
export interface Summary {
  readonly seeds: readonly string[];
  readonly seconds: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly grants: number;
  readonly resumed: number;
  /** Welcomes to a session that other programs of the machine hold. */
  readonly shared: number;
  readonly adminEvictions: number;
  /** Seats that were taken along. */
  readonly leaves: number;
  /** Programs that were told of their end, by how their node had learned of it. */
  readonly evictionsByPath: Readonly<Record<string, number>>;
  /** Epochs that the fence refused from programs which still believed. */
  readonly fenceRefusals: number;
  readonly looksAtCounts: number;
  readonly overlaps: Readonly<Partial<Record<Excuse, OverlapSummary>>>;
  /** The longest that this process, a node or Redis took for what takes a moment, in ms. */
  readonly slowestMs: number;
  readonly violations: number;
}

export function summarise(results: readonly RunResult[]): Summary {
  const histories = results.map(({ history }) => history);
  const grants = histories.flatMap((history) => history.grants);
  return {
    seeds: results.map(({ options }) => options.seed),
    seconds: results.reduce((sum, { options }) => sum + options.durationMs / 1000, 0),
    faults: countBy(
      histories.flatMap((history) => history.faults),
      ({ kind, note }) => (note.startsWith('not done') ? null : kind),
    ),
    grants: grants.length,
    resumed: grants.filter((grant) => grant.resumed).length,
    shared: grants.filter((grant) => grant.shared).length,
    adminEvictions: sum(histories, ({ adminEvictions }) => adminEvictions.filter((one) => one.epoch).length),
    leaves: sum(histories, ({ leaves }) => leaves.length),
    evictionsByPath: countBy(
      histories.flatMap((history) => history.nodeEvents),
      ({ path }) => path,
    ),
    fenceRefusals: sum(histories, ({ rejections }) => rejections.length),
    looksAtCounts: sum(histories, ({ counts }) => counts.length),
    overlaps: overlapsOf(results),
    slowestMs: Math.max(0, ...histories.flatMap(({ slowness }) => slowness.map(({ ms }) => ms))),
    violations: sum(results, ({ findings }) => findings.length),
  };
}

/** The summary as lines for people. */
export function summaryText(summary: Summary): string {
  const { seeds, seconds, violations } = summary;
  const what =
    seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds (${seeds[0]} to ${seeds.at(-1)})`;
  const rows = Object.entries(summary.overlaps).map(([excuse, one]) => [
    excuse,
    String(one.count),
    ...[one.p50Ms, one.p99Ms, one.maxMs, one.allowedMs].map((ms) => ms.toFixed(0)),
  ]);
  return [
    `${what}, ${seconds.toFixed(0)} s under faults: ${violations === 0 ? 'no violation' : `${violations} VIOLATIONS`}`,
    `faults      ${listed(summary.faults)}`,
    `clients     ${summary.grants} grants (${summary.resumed} resumed${summary.shared > 0 ? `, ${summary.shared} shared` : ''}), ${summary.adminEvictions} evicted by an administrator${summary.leaves > 0 ? `, ${summary.leaves} taken along` : ''}`,
    `nodes       told of the end by ${listed(summary.evictionsByPath)}`,
    `fence       refused ${summary.fenceRefusals} times an epoch that its program still believed in`,
    `counts      looked at ${summary.looksAtCounts} times`,
    `machine     slowest answer ${summary.slowestMs.toFixed(0)} ms`,
    'overlaps, in ms: how long a loser went on believing, by what excuses it',
    ...aligned([['', 'count', 'p50', 'p99', 'max', 'allowed'], ...rows]),
  ].join('\n');
}

function overlapsOf(results: readonly RunResult[]): Summary['overlaps'] {
  const all = results.flatMap(({ overlaps }) => overlaps);
  const present = excuses.filter((excuse) => all.some((overlap) => overlap.excuse === excuse));
  return Object.fromEntries(
    present.map((excuse) => {
      const own = all.filter((overlap) => overlap.excuse === excuse);
      const lasted = own.map(({ fromMs, toMs }) => toMs - fromMs).sort((a, b) => a - b);
      const at = (share: number) => lasted[Math.max(0, Math.ceil(lasted.length * share) - 1)] ?? 0;
      const allowedMs = Math.max(...own.map(({ ms }) => ms));
      return [excuse, { count: own.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), allowedMs }];
    }),
  );
}

function countBy<T>(items: readonly T[], nameOf: (item: T) => string | null): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const name = nameOf(item);
    if (name !== null) counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  return entries.length === 0 ? 'none' : entries.map(([name, count]) => `${name} ${count}`).join(', ');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
