import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { buildJavaClient } from './java-client.mjs';
import { setup } from './setup.mjs';
import { createSteps, fail, root } from './steps.mjs';
import { recorded } from './tools.mjs';

const page = join(root, 'docs', 'clients.md');
const begin = '<!-- clients -->';
const end = '<!-- /clients -->';
const marks = { passed: '✓', failed: '✗', 'not run': '–' };
/** A JVM for each check: what makes one fast in the long run only makes it slow here. */
const fastStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx64m'];

await setup({ forTests: true }).then(judgeAll).catch(fail);

/** `npm run clients`: the kit judges each client library, and docs/clients.md gets the table. */
async function judgeAll() {
  const { step } = createSteps();
  const columns = [];
  for (const { name, command, env } of await libraries()) {
    const report = await step(
      `the kit judges ${name}`,
      `soleseat client-test -- ${command.join(' ')} shows more.`,
      () => judge(command, env),
    );
    columns.push({ name, report });
  }
  const text = readFileSync(page, 'utf8');
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  const after = text.slice(text.indexOf(end));
  writeFileSync(page, `${before}\n${table(columns)}\n${after}`);
  const failed = columns.filter(({ report }) => report.failed > 0).map(({ name }) => name);
  if (failed.length > 0)
    throw new Error(`not all is well: ${failed.join(', ')} (the table is in docs/clients.md)`);
}

async function libraries() {
  const python = recorded('python');
  const env = python.pythonPath ? { PYTHONPATH: python.pythonPath } : {};
  const program = join(root, 'clients', 'python', 'kit_program.py');
  const { java, jar, testClasses } = await buildJavaClient();
  const classPath = [jar, testClasses].join(delimiter);
  return [
    { name: 'TypeScript', command: [process.execPath, join(root, 'test', 'kit', 'typescript-program.mjs')] },
    { name: 'Java', command: [java, ...fastStart, '-cp', classPath, 'KitClient'] },
    { name: 'Python, asyncio', command: [python.path, program], env },
    { name: 'Python, threads', command: [python.path, program, 'blocking'], env },
  ];
}

function judge(command, env) {
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
    // 1: a check failed, which the table says.
    child.on('close', (code) =>
      code === 0 || code === 1 ? resolve(JSON.parse(out)) : reject(new Error(out)),
    );
  });
}

function table(columns) {
  const [first] = columns;
  const rows = first.report.checks.map(({ id, title }) => {
    const verdicts = columns.map(
      ({ report }) => marks[report.checks.find((one) => one.id === id)?.verdict] ?? '',
    );
    return `| \`${id}\` | ${title} | ${verdicts.join(' | ')} |`;
  });
  const heads = ['check', 'a right client', ...columns.map(({ name }) => name)];
  const sums = columns.map(({ report }) => `${report.passed} of ${report.checks.length}`);
  return [
    `| ${heads.join(' | ')} |`,
    `|${heads.map(() => '---').join('|')}|`,
    ...rows,
    `| | **passed** | ${sums.join(' | ')} |`,
  ].join('\n');
}
