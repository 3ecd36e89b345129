import { prepareCompiler } from './compiler.mjs';
import { exampleClients } from './example-clients.mjs';
import { judgeEach, table } from './kit-judge.mjs';
import { preparePackage } from './setup.mjs';
import { createSteps, fail, run } from './steps.mjs';

await preparePackage().then(testExamples).catch(fail);

/**
 * `npm run test:examples`: compiles the examples in C# and C++, and lets the kit judge them. Shows a table of the checks that were
 * not passed, and ends with 1 where there is one.
 */
async function testExamples() {
  const steps = createSteps();
  // The kit sets clocks by a library that it compiles.
  await prepareCompiler(steps);
  const clients = await exampleClients(steps);
  for (const client of clients) await checkMachineId(client);
  const columns = await judgeEach(steps, clients);
  process.stdout.write(`\n${table(columns, (verdicts) => verdicts.some((one) => one !== 'passed'))}\n`);
  for (const { name, report } of columns) tellFindings(name, report);
  // A check that is not run is not passed, but for those of tickets: these examples hide nothing else.
  if (columns.some(({ report }) => report.checks.some((one) => !isWell(one)))) process.exitCode = 1;
}

/** The programs of one vendor in several languages are one machine to the broker. */
async function checkMachineId({ name, command: [program, ...rest], env }) {
  const { machineId } = await import('../packages/client/dist/esm/machine-id.js');
  const application = 'Zeichnung Büro';
  const { id } = await machineId({ application });
  const printed = (await run(program, [...rest, '--machine-id', application], { env })).trim();
  if (printed !== id)
    throw new Error(`${name} takes this computer for ${printed}, and our library for ${id}`);
}

function tellFindings(name, { checks }) {
  for (const { id, verdict, finding } of checks)
    if (verdict !== 'passed') process.stdout.write(`${name}, ${id}: ${verdict}: ${finding}\n`);
}

/** Neither Mono nor Qt has ECDSA, so the examples know no tickets. */
function isWell({ verdict, rules }) {
  const isOfTickets = rules.some(({ tag }) => /^(nonce-|ticket-|leave-left|left-final)/.test(tag));
  return verdict === 'passed' || (verdict === 'not run' && isOfTickets);
}
