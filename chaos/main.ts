import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type BreakageName, breakageNames, breakages, breakBuild, focusedOn } from './broken.js';
import { ruledActs, sharingActs, usualActs } from './people.js';
import { reportHtml } from './report.js';
import { type RunOptions, type RunResult, run, usualRun } from './run.js';
import { summarise, summaryText } from './summary.js';
import { timelineText } from './timeline.js';

const help = `Usage: npm run chaos -- [options]

Runs broker nodes, Redis and many clients under faults that a seed determines, then verifies what
everybody saw. Ends with 1 where a promise was broken, and says with which seed to see it again.

  --minutes <n>    how long the faults go on, for each seed (1)
  --seed <text>    the seed (by default a new one)
  --seeds <n>      so many seeds one after another: <seed>, <seed>+1, ...; the summary is of all
  --users <n>      users, each with three machines (12)
  --nodes <n>      broker nodes (3)
  --topology <t>   single; sentinel and cluster are not there yet (single)
  --share          the programs of one machine share a session, and several are opened
  --rules          newcomers ask, holders answer, seats are taken along, and people nap
  --broken <name>  runs a copy of the build that breaks a promise, with the faults that show it:
                   ${breakageNames.join(', ')}
  --report <file>  writes an HTML page with the intervals drawn
  --json           one JSON object instead of text
  --timeline       prints the timeline of every run, not only of those with a violation
  --help           this text`;

interface Options {
  readonly seeds: readonly string[];
  readonly run: Partial<RunOptions>;
  readonly broken: BreakageName | null;
  readonly report: string | null;
  readonly json: boolean;
  readonly timeline: boolean;
}

let isInterrupted = false;

class UsageError extends Error {}

function readOptions(): Options | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      minutes: { ...text, default: '1' },
      seed: text,
      seeds: { ...text, default: '1' },
      users: text,
      nodes: text,
      topology: { ...text, default: 'single' },
      broken: text,
      share: flag,
      rules: flag,
      report: text,
      json: flag,
      timeline: flag,
      help: flag,
    },
  });
  if (values.help) return null;
  if (values.topology !== 'single')
    throw new UsageError(`--topology ${values.topology} is not there yet: only single is`);
  const { broken = null } = values;
  if (broken !== null && !(broken in breakages))
    throw new UsageError(`--broken must be one of ${breakageNames.join(', ')}`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 1440)) throw new UsageError('--minutes must be a number above 0');
  return {
    seeds: seedsFrom(values.seed ?? String(Math.floor(Math.random() * 1e6)), whole('seeds', values.seeds)),
    run: {
      durationMs: minutes * 60_000,
      ...(values.users !== undefined && { users: whole('users', values.users) }),
      ...(values.nodes !== undefined && { nodes: whole('nodes', values.nodes) }),
      ...(values.share && { shares: true }),
      ...(values.rules && { hasRules: true }),
      acts: { ...usualActs, ...(values.share && sharingActs), ...(values.rules && ruledActs) },
    },
    broken: broken as BreakageName | null,
    report: values.report ?? null,
    json: values.json,
    timeline: values.timeline,
  };
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`--${name} must be a whole number from 1 to 9999`);
  return Number(text);
}

function seedsFrom(first: string, count: number): string[] {
  if (count === 1) return [first];
  if (!/^\d{1,9}$/.test(first)) throw new UsageError('--seed must be a whole number where there are several');
  return Array.from({ length: count }, (_, i) => String(Number(first) + i));
}

async function runAll({ seeds, run: own, broken, timeline, json }: Options): Promise<RunResult[]> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const build = broken === null ? null : breakBuild(broken);
  const results: RunResult[] = [];
  try {
    for (const seed of seeds) {
      if (isInterrupted) break;
      const focus = broken === null ? {} : focusedOn(broken);
      const dist = build === null ? {} : { dist: build.dist };
      const result = await run({ ...usualRun, ...own, ...focus, ...dist, seed, onProgress: say });
      results.push(result);
      const isBad = result.findings.length > 0;
      if (!json && (timeline || isBad)) console.log(`${timelineText(result)}\n`);
      say(`seed ${seed}: ${isBad ? `${result.findings.length} VIOLATIONS` : 'no violation'}`);
    }
  } finally {
    build?.remove();
  }
  return results;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) {
    console.log(help);
    return;
  }
  const results = await runAll(options);
  const summary = summarise(results);
  const violations = results.flatMap(({ options: { seed }, findings, history }) =>
    findings.map(({ check, user, what, atMs }) => ({ seed, at: history.seconds(atMs), check, user, what })),
  );
  if (options.report !== null) writeFileSync(options.report, reportHtml(results));
  console.log(options.json ? JSON.stringify({ summary, violations }) : summaryText(summary));
  if (violations.length === 0) return;
  process.exitCode = 1;
  if (options.json) return;
  for (const { seed, at, check, what } of violations) console.log(`seed ${seed}, ${at} s, ${check}: ${what}`);
  const bad = [...new Set(violations.map(({ seed }) => seed))];
  console.log(`\nTo see it again: npm run chaos -- --seed ${bad[0]} and the same other options`);
}

// The first signal lets the seed under way come to its end, and what was seen is summed up; the second ends at once.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    if (isInterrupted) process.exit(code);
    isInterrupted = true;
    process.stderr.write('ending after this seed; once more to end at once\n');
  });
}

await main().then(
  // Connections of clients that were left in mid-air would keep this process alive.
  () => process.exit(),
  (error: Error) => {
    const isUsage = error instanceof UsageError || 'code' in error;
    process.stderr.write(`${isUsage ? error.message : (error.stack ?? error.message)}\n`);
    process.exit(isUsage ? 2 : 1);
  },
);
