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

  --only <text>  the faults whose name contains this, or "sizes"; other rows stay as they are
  --help         this text`;

const heads = ['fault', 'promise', 'noticed', 'recovered after', 'sessions lost', 'double holders'];

async function main() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help) return console.log(help);
  await setup({ quiet: true });
  const { measureAll } = await import('../reliability/run.mjs');
  const { measureSizes } = await import('../reliability/sizes.mjs');
  const { only } = values;
  for await (const row of measureAll({ only, say: console.error })) {
    console.error(row.join(' | '));
    update('reliability.md', 'faults', heads, [row]);
  }
  if (only === undefined || only === 'sizes')
    update('operations.md', 'sizes', ['what', 'measured'], await measureSizes());
}

/** Rows are told apart by their first cell: a new one takes the place of the old one, or comes last. */
function update(page, marker, columns, rows) {
  const file = join(root, 'docs', page);
  const before = readFileSync(file, 'utf8');
  const [start, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [from, to] = [before.indexOf(start) + start.length, before.indexOf(end)];
  if (from < start.length || to < from) throw new Error(`docs/${page} needs the markers ${start} and ${end}`);
  const old = before
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const byName = new Map(
    old
      .slice(2)
      .map((line) => line.slice(2, -2).split(' | '))
      .map((row) => [row[0], row]),
  );
  for (const row of rows) byName.set(row[0], row);
  const where = `Node ${process.version}, ${cpus().length} cores, all on one machine; last measured on ${today()}.`;
  const text = `${table(columns, [...byName.values()])}\n\n${where}`;
  writeFileSync(file, `${before.slice(0, from)}\n${text}\n${before.slice(to)}`);
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function today() {
  return new Date().toISOString().slice(0, 10);
}

await main().then(() => process.exit(), fail);
