import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setup } from './setup.mjs';
import { fail, root } from './steps.mjs';

const help = `Usage: npm run reliability -- [options]

Lets each fault of docs/reliability.md happen to real processes (Redis, nodes, and programs with the client
library), measures what comes of it, and writes the tables into docs/reliability.md and docs/operations.md.
Takes some minutes.

  --only <text>  the faults whose name contains this; prints, and writes nothing
  --help         this text`;

async function main() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) return console.log(help);
  await setup({ quiet: true });
  const { measureAll } = await import('../reliability/run.mjs');
  const { measureSizes } = await import('../reliability/sizes.mjs');
  const rows = await measureAll({ only: values.only, say: console.error });
  if (values.only !== undefined) return;
  const heads = ['fault', 'promise', 'noticed', 'recovered after', 'sessions lost', 'double holders'];
  const where = `Node ${process.version}, ${cpus().length} cores, all on one machine.`;
  write('reliability.md', 'faults', `${table(heads, rows)}\n\nMeasured on ${today()}: ${where}`);
  write(
    'operations.md',
    'sizes',
    `${table(['what', 'measured'], await measureSizes())}\n\nMeasured on ${today()}: ${where}`,
  );
}

function write(page, marker, text) {
  const file = join(root, 'docs', page);
  const before = readFileSync(file, 'utf8');
  const [start, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [from, to] = [before.indexOf(start), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/${page} needs the markers ${start} and ${end}`);
  writeFileSync(file, `${before.slice(0, from + start.length)}\n${text}\n${before.slice(to)}`);
  console.error(`written: docs/${page}`);
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function today() {
  return new Date().toISOString().slice(0, 10);
}

await main().then(() => process.exit(), fail);
