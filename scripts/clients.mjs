import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { exampleClients } from './example-clients.mjs';
import { buildJavaClient } from './java-client.mjs';
import { judgeEach, table } from './kit-judge.mjs';
import { setup } from './setup.mjs';
import { createSteps, fail, root } from './steps.mjs';
import { recorded } from './tools.mjs';

const page = join(root, 'docs', 'clients.md');
const begin = '<!-- clients -->';
const end = '<!-- /clients -->';
/** A JVM for each check: what makes one fast in the long run only makes it slow here. */
const fastStart = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx64m'];

await setup({ forTests: true }).then(judgeAll).catch(fail);

/** `npm run clients`: the kit judges each client library and each example, and docs/clients.md gets the table. */
async function judgeAll() {
  const steps = createSteps();
  const columns = await judgeEach(steps, [...(await libraries()), ...(await exampleClients(steps))]);
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
