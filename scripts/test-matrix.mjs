/**
 * Runs chosen test files with other versions of what Soleseat stands beside: Redis servers, proxies, Java, Python.
 *
 *   node scripts/test-matrix.mjs [--redis] [--proxies] [--java] [--python] [--only=TEXT] [--write] [FILE...]
 *
 * Without a kind all of them run. --only takes the rows whose name or suite has the text. Files take the place of the lists in
 * matrix-rows.mjs. What each file gave is kept, so that a table may be made in several runs. --write puts the tables into
 * docs/compatibility.md. Versions that this machine does not have come from other suites of Debian, in folders of
 * their own; that takes root.
 */
import { filesOf, tableOf, writePage } from './matrix-page.mjs';
import { MatrixResults } from './matrix-results.mjs';
import { kinds } from './matrix-rows.mjs';
import { runRow } from './matrix-run.mjs';
import { prepareProxies } from './proxies.mjs';
import { setup } from './setup.mjs';
import { createSteps, fail } from './steps.mjs';

const options = process.argv.slice(2).filter((one) => one.startsWith('--'));
const files = process.argv.slice(2).filter((one) => !one.startsWith('--'));
const only = options.find((one) => one.startsWith('--only='))?.slice('--only='.length);
const asked = Object.keys(kinds).filter((kind) => options.includes(`--${kind}`));

await setup({ forTests: true }).then(testMatrix).catch(fail);

async function testMatrix() {
  refuseUnknown();
  const steps = createSteps();
  const results = new MatrixResults();
  const wanted = asked.length > 0 ? asked : Object.keys(kinds);
  if (wanted.includes('proxies')) await prepareProxies(steps);
  let failures = 0;
  for (const kind of wanted) failures += await runKind(kind, results, steps);
  for (const kind of wanted) console.log(`\n${kinds[kind].title}\n\n${tableOf(kind, results)}`);
  if (options.includes('--write')) console.log(`\nwritten: ${writePage(wanted, results)}`);
  if (failures > 0) process.exitCode = 1;
}

function refuseUnknown() {
  const known = ['--write', ...Object.keys(kinds).map((kind) => `--${kind}`)];
  const unknown = options.filter((one) => !known.includes(one) && !one.startsWith('--only='));
  if (unknown.length > 0)
    throw new Error(`unknown: ${unknown.join(' ')}; there are ${known.join(' ')} --only=TEXT`);
}

/** Runs the rows of a kind one after another, and gives how many tests failed. */
async function runKind(kind, results, { step }) {
  const { title, rows } = kinds[kind];
  const chosen = files.length > 0 ? files : filesOf(kind);
  let failures = 0;
  for (const row of rows) {
    if (only !== undefined && !`${row.name} ${row.suite}`.toLowerCase().includes(only.toLowerCase()))
      continue;
    const name = `${title}: ${row.name}, ${row.suite === null ? 'of this machine' : `of Debian ${row.suite}`}`;
    const whatToDo = 'npm run test:matrix -- --only=TEXT FILE runs one file with one version alone.';
    const given = await step(name, whatToDo, (onProgress) => runRow(kind, row, chosen, onProgress));
    results.keep(kind, row, given);
    failures += Object.values(given.files ?? {}).flatMap((file) => file.failures).length;
  }
  return failures;
}
