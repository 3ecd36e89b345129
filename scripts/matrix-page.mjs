import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kinds } from './matrix-rows.mjs';
import { root } from './steps.mjs';

const FILE = 'docs/compatibility.md';

/** The table of a kind: what is known of each of its rows. */
export function tableOf(kind, results) {
  const { rows, notRun } = kinds[kind];
  const files = filesOf(kind);
  const known = rows.map((row) => ({ row, result: results.of(kind, row) }));
  const failures = known.flatMap(({ row, result }) =>
    gathered(result, files).failures.map((one) => `- ${row.name} ${result.version}: ${one.split('\n')[0]}`),
  );
  return [
    '| what | version | from | outcome | run on |',
    '|---|---|---|---|---|',
    ...known.map(({ row, result }) => lineOf(row, result, files)),
    '',
    ...(failures.length > 0 ? ['Failed:', '', ...failures, ''] : []),
    `Files: ${files.map((file) => `\`${file.replace('test/', '')}\``).join(', ')}.`,
    '',
    'Not run:',
    '',
    ...notRun.map((one) => `- ${one}`),
  ].join('\n');
}

/** Puts the tables of these kinds between their markers. The others stay as they are. */
export function writePage(asked, results) {
  const path = join(root, FILE);
  let text = readFileSync(path, 'utf8');
  for (const kind of asked) {
    const [begin, end] = [`<!-- matrix:${kind} -->`, `<!-- /matrix:${kind} -->`];
    const [head, rest] = text.split(begin);
    const tail = rest?.split(end)[1];
    if (tail === undefined) throw new Error(`${FILE} has no ${begin} … ${end}`);
    text = `${head}${begin}\n${tableOf(kind, results)}\n${end}${tail}`;
  }
  writeFileSync(path, text);
  return FILE;
}

/** The files of the list that are there. */
export function filesOf(kind) {
  return kinds[kind].files.filter((file) => existsSync(join(root, file)));
}

function lineOf({ name, suite }, result, files) {
  const from = suite === null ? 'the machine of the run' : `Debian ${suite}`;
  if (result === null) return `| ${name} | – | ${from} | not run yet | – |`;
  const { passed, failures, dates, filesRun } = gathered(result, files);
  const outcome =
    result.missing !== null
      ? `not run: ${result.missing}`
      : [
          failures.length > 0 ? `${failures.length} failed, ${passed} passed` : `${passed} tests passed`,
          ...(filesRun < files.length ? [`(${filesRun} of ${files.length} files)`] : []),
        ].join(' ');
  return `| ${name} | ${result.version || '–'} | ${from} | ${outcome} | ${dates.at(-1) ?? '–'} |`;
}

function gathered(result, files) {
  const given = files.flatMap((file) => result?.files[file] ?? []);
  return {
    passed: given.reduce((sum, { passed }) => sum + passed, 0),
    failures: given.flatMap((one) => one.failures),
    dates: given.map(({ date }) => date).sort(),
    filesRun: given.length,
  };
}
