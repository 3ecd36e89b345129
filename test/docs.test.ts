import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { closeCodes, isFinal } from '../packages/client/src/protocol/close-codes.js';
import {
  clientMessages,
  type MessageSpec,
  serverMessages,
} from '../packages/client/src/protocol/message-table.js';
import { allRoutes } from '../src/admin/routes/index.js';
import type { LabelValues } from '../src/base/metrics/row.js';
import { metricsTable } from '../src/base/metrics.js';
import { fileNamesOf } from '../src/base/parse-settings.js';
import { settingsTable } from '../src/base/settings.js';
import { program } from '../src/cli/program.js';

const root = resolve(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const pages = [...filesIn('.'), ...filesIn('docs'), ...filesIn('docs/decisions')];

describe('the documentation', () => {
  it('has every close code, and no other, in PROTOCOL.md', () => {
    const section = between(read('PROTOCOL.md'), '<!-- close-codes -->', '<!-- /close-codes -->');
    const expected = closeCodes.map(({ code, reason, meaning }) => [
      String(code),
      reason,
      isFinal(code) ? 'yes' : 'no',
      meaning,
    ]);
    expect(rowsOf(section)).toEqual(expected);
  });

  it('names only close codes of the application range that exist', () => {
    const known = new Set(closeCodes.map(({ code }) => code));
    // The bounds of the final codes are named as such, and the code with which a client leaves.
    for (const other of [4000, 4500, 4999]) known.add(other);
    const named = [...read('PROTOCOL.md').matchAll(/\b4[0-9]{3}\b/g)].map(([code]) => Number(code));
    expect(named.filter((code) => !known.has(code))).toEqual([]);
  });

  it('names as not sent exactly the close codes that nothing in the source uses', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter(
        (name) =>
          /\.(ts|lua)$/.test(name) && !/close-codes\.ts$|^(client|admin|console|cli|kit)\b/.test(name),
      )
      .map((name) => read(join('src', name)))
      .join('\n');
    const unused = closeCodes.filter(({ reason }) => !sources.includes(`'${reason}'`));
    const [, named = ''] = /^Not sent by this version: ([\w`, ]+)\./m.exec(read('PROTOCOL.md')) ?? [];
    // ws sends that one by itself.
    const expected = unused
      .filter(({ reason }) => reason !== 'protocol_error')
      .map(({ code }) => String(code));
    expect(named.split(', ').map((one) => one.slice(0, 4))).toEqual(expected);
  });

  it('has every setting with its default and meaning, and no other, in docs/settings.md', () => {
    const expected = Object.values(settingsTable).map((one) => [one.name, one.default, one.doc]);
    const rows = rowsOf(read('docs/settings.md')).map(([name, , value, doc]) => [name, value, unquoted(doc)]);
    expect(rows).toEqual(expected.map(([name, value, doc]) => [name, value, unquoted(doc)]));
  });

  it('has every metric with its kind, labels, their values and its meaning, and no other, in docs/metrics.md', () => {
    const rows = Object.values(metricsTable);
    const [metrics = '', values = ''] = read('docs/metrics.md').split('## Values of labels');
    expect(rowsOf(metrics)).toEqual(
      rows.map(([kind, name, help, labels]) => [name, kind, Object.keys(labels).join(', '), help]),
    );
    const closed = rows.flatMap(([, name, , labels]) =>
      Object.entries<LabelValues>(labels).flatMap(([label, all]) =>
        all === 'open' ? [] : [[name, label, all.join(', ')]],
      ),
    );
    expect(rowsOf(values)).toEqual(closed);
  });

  it('has every route with its role and meaning, and no other, in docs/admin-api.md', () => {
    const expected = allRoutes.map(({ method, path, role, allOrgs, summary }) => [
      method,
      path,
      role === null ? 'none' : allOrgs ? `${role} of all orgs` : role,
      summary,
    ]);
    expect(rowsOf(read('docs/admin-api.md'))).toEqual(expected);
  });

  it('has the types of the admin API as the schemas of its routes have them', async () => {
    const { adminTypes } = await import(new URL('../scripts/admin-types.mjs', import.meta.url).href);
    expect(read('src/protocol/admin-answers.ts'), 'run npm run docs').toBe(adminTypes(allRoutes));
  });

  it('has every message with its fields, and no other, in PROTOCOL.md', () => {
    for (const [place, messages] of Object.entries({ client: clientMessages, server: serverMessages })) {
      const section = between(
        read('PROTOCOL.md'),
        `<!-- ${place}-messages -->`,
        `<!-- /${place}-messages -->`,
      );
      const rows = rowsOf(section).map(([type, fields, when]) => [
        type,
        topNamesIn(fields ?? ''),
        unquoted(when),
      ]);
      const expected = Object.entries<MessageSpec>(messages).map(([type, { fields, when }]) => [
        type,
        Object.entries(fields).map(([name, { optional }]) => (optional ? `${name}?` : name)),
        unquoted(when),
      ]);
      expect(rows).toEqual(expected);
    }
  });

  it('tells which messages carry their age', () => {
    const [, named = ''] =
      /^((?:`\w+`(?:, | and )?)+) MUST also carry `elapsedMs`/m.exec(read('PROTOCOL.md')) ?? [];
    const timed = Object.entries<MessageSpec>(serverMessages).filter(([, { isTimed }]) => isTimed);
    expect([...named.matchAll(/`(\w+)`/g)].map(([, type]) => type)).toEqual(timed.map(([type]) => type));
  });

  it('has every command in README.md, alone or as one of its group', () => {
    const readme = read('README.md');
    const names = program.commands.map((command) => command.name());
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !readme.includes(`\`soleseat ${name}`))).toEqual([]);
  });

  it('names only commands that exist', () => {
    const isCommand = (words: readonly string[]) => {
      let command: Command | undefined = program;
      for (const word of words) command = command?.commands.find((one) => one.name() === word);
      return command !== undefined;
    };
    const groups = new Map(program.commands.map((one) => [one.name(), one.commands.length > 0]));
    const unknown = pages.flatMap((file) =>
      [...read(file).matchAll(/\bsoleseat ([a-z]+)(?: ([a-z]+))?\b/g)]
        .filter(([, first = '']) => groups.has(first))
        .filter(
          ([, first = '', second]) => !isCommand(second && groups.get(first) ? [first, second] : [first]),
        )
        .map(([text]) => `${file}: ${text}`),
    );
    expect(unknown).toEqual([]);
  });

  it.each(pages)('%s names only settings and metrics that exist', (file) => {
    const settings = new Set<string>(
      Object.values(settingsTable).flatMap((one) => [one.name, ...fileNamesOf(one)]),
    );
    const metrics = Object.values(metricsTable).map(([, name]) => name as string);
    const text = read(file);
    const named = [...text.matchAll(/\bSOLESEAT_[A-Z][A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    const measured = [...text.matchAll(/\bsoleseat_[a-z_]+[a-z]\b/g)].map(([name]) => name);
    expect(named.filter((name) => !settings.has(name))).toEqual([]);
    // A histogram appears with a suffix too: _bucket, _sum, _count.
    expect(measured.filter((name) => !metrics.some((one) => name.startsWith(one)))).toEqual([]);
  });

  it.each(pages)('%s links only to files that exist', (file) => {
    const targets = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const relatives = targets.filter((target) => !/^[a-z]+:/.test(target) && !target.startsWith('#'));
    const missing = relatives.filter((target) => {
      const [path = ''] = target.split('#', 1);
      return !existsSync(join(root, dirname(file), path));
    });
    expect(missing).toEqual([]);
  });

  it('keeps ARCHITECTURE.md within 150 lines', () => {
    expect(read('ARCHITECTURE.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });
});

function filesIn(folder: string): string[] {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return names.map((name) => join(folder, name)).sort();
}

function between(text: string, start: string, end: string): string {
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the markers ${start} and ${end} are missing`);
  return text.slice(from + start.length, to);
}

/** The cells of a Markdown table's rows, without its head; a cell that is code loses its quotes. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  const body = lines.slice(2);
  return body.map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => (/^(`[^`]*`(, )?)+$/.test(cell) ? unquoted(cell) : cell).trim()),
  );
}

/** `machine`, `attempt?` of "`machine {id, os?}`, `attempt?` (ms)". */
function topNamesIn(fields: string): string[] {
  let flat = fields.replaceAll('`', '').replaceAll(/ or null| \([^)]*\)/g, '');
  while (flat.includes('{')) flat = flat.replaceAll(/ \{[^{}]*\}/g, '');
  return flat === '' ? [] : flat.split(', ');
}

function unquoted(text: string | undefined): string {
  return (text ?? '').replaceAll('`', '');
}
