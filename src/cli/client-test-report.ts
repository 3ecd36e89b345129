import type { Check } from '../kit/check.js';
import type { Result, Verdict } from '../kit/runner.js';

type Rules = ReadonlyMap<string, string>;

const colours = { passed: 32, failed: 31, 'not run': 33 } as const satisfies Record<Verdict, number>;
/** The end of what happened says the most. */
const SHOWN_ENTRIES = 24;
const WIDTH = 100;

export function countsOf(results: readonly Result[]): Record<'passed' | 'failed' | 'notRun', number> {
  const count = (verdict: Verdict) => results.filter((one) => one.verdict === verdict).length;
  return { passed: count('passed'), failed: count('failed'), notRun: count('not run') };
}

/** The table for people: one line a check, and below a failed one what was found and seen. */
export function report(results: readonly Result[], rules: Rules, ms: number): string {
  const width = Math.max(...results.map(({ check }) => check.id.length));
  const lines = results.flatMap((result) => linesOf(result, rules, width));
  const { passed, failed, notRun } = countsOf(results);
  const sum = `${passed} passed, ${failed} failed, ${notRun} not run, in ${(ms / 1_000).toFixed(1)} s.`;
  return [...lines, '', sum].join('\n');
}

/** One object, and nothing else. */
export function jsonReport(results: readonly Result[], rules: Rules, ms: number): string {
  const seen = ({ verdict, transcript }: Result) =>
    verdict === 'failed'
      ? transcript.map(({ atMs, actor, text }) => ({ atMs: Math.round(atMs), actor, text }))
      : undefined;
  return JSON.stringify({
    ...countsOf(results),
    ms: Math.round(ms),
    checks: results.map((result) => ({
      ...described(result.check, rules),
      verdict: result.verdict,
      tries: result.tries,
      finding: result.finding,
      ms: Math.round(result.ms),
      seen: seen(result),
    })),
  });
}

/** What there is to check, without running it. */
export function listing(
  checks: readonly Check[],
  rules: Rules,
  options: { readonly json?: boolean },
): string {
  if (options.json) return JSON.stringify(checks.map((check) => described(check, rules)));
  const width = Math.max(...checks.map(({ id }) => id.length));
  return checks
    .flatMap(({ id, title, tags }) => [
      ...wrapped(id.padEnd(width), title),
      ...wrapped(' '.repeat(width), tags.map((tag) => `[${tag}]`).join(' ')),
    ])
    .join('\n');
}

function described({ id, title, why, tags }: Check, rules: Rules) {
  return { id, title, why, rules: tags.map((tag) => ({ tag, sentence: rules.get(tag) ?? null })) };
}

function linesOf(
  { check, verdict, finding, tries, transcript }: Result,
  rules: Rules,
  width: number,
): string[] {
  const head = `${painted(verdict)}  ${check.id.padEnd(width)}  ${check.title}`;
  if (verdict === 'passed') return [tries === 1 ? head : `${head} (at the second try)`];
  if (verdict === 'not run') return [head, ...wrapped('  because', finding ?? '')];
  const entries = transcript.slice(-SHOWN_ENTRIES);
  return [
    head,
    ...wrapped('  found  ', finding ?? ''),
    ...wrapped('  why    ', check.why),
    ...check.tags.flatMap((tag) => wrapped('  rule   ', `[${tag}] ${rules.get(tag) ?? ''}`)),
    ...(entries.length < transcript.length
      ? [`  seen     … ${transcript.length - entries.length} before`]
      : []),
    ...entries.map(
      ({ atMs, actor, text }) =>
        `  seen     ${(atMs / 1_000).toFixed(3).padStart(7)}  ${actor.padEnd(7)}  ${text}`,
    ),
    '',
  ];
}

function wrapped(label: string, text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((one, index) => `${index === 0 ? label : ' '.repeat(label.length)}  ${one}`);
}

function painted(verdict: Verdict): string {
  const word = verdict.padEnd(7);
  const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR;
  return isColoured ? `\x1b[${colours[verdict]}m${word}\x1b[0m` : word;
}
