import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './steps.mjs';

export const marks = { passed: '✓', failed: '✗', 'not run': '–' };

/** Lets the kit judge a client. Gives its report: `passed`, `failed` and `checks`. */
export function judge(command, env) {
  const args = [join(root, 'dist', 'cli', 'main.js'), 'client-test', '--json', '--', ...command];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // 1: a check failed, which the report says.
    child.on('close', (code) =>
      code === 0 || code === 1 ? resolve(JSON.parse(out)) : reject(new Error(out)),
    );
  });
}

/** Lets the kit judge one client after the other, each as a step. */
export async function judgeEach({ step }, clients) {
  const columns = [];
  for (const { name, command, env } of clients) {
    const report = await step(
      `the kit judges ${name}`,
      `soleseat client-test -- ${command.join(' ')} shows more.`,
      () => judge(command, env),
    );
    columns.push({ name, report });
  }
  return columns;
}

/** A Markdown table with a row for each check. `only` leaves out the rows that it refuses. */
export function table(columns, only = () => true) {
  const [first] = columns;
  const verdictsOf = (id) => columns.map(({ report }) => report.checks.find((one) => one.id === id)?.verdict);
  const rows = first.report.checks
    .filter(({ id }) => only(verdictsOf(id)))
    .map(
      ({ id, title }) =>
        `| \`${id}\` | ${title} | ${verdictsOf(id)
          .map((verdict) => marks[verdict] ?? '')
          .join(' | ')} |`,
    );
  const heads = ['check', 'a right client', ...columns.map(({ name }) => name)];
  const sums = columns.map(({ report }) => `${report.passed} of ${report.checks.length}`);
  return [
    `| ${heads.join(' | ')} |`,
    `|${heads.map(() => '---').join('|')}|`,
    ...rows,
    `| | **passed** | ${sums.join(' | ')} |`,
  ].join('\n');
}
