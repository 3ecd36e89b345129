import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const MAX_LINES = 300;

/** The floors of the house: a part imports only from floors below it, so two of one floor do not know each other. */
const floors: Readonly<Record<string, number>> = {
  protocol: 0,
  base: 1,
  store: 2,
  auth: 2,
  license: 3,
  outbox: 3,
  session: 4,
  gateway: 5,
  admin: 5,
  compose: 6,
  'broker.ts': 7,
  cli: 8,
};
/** Parts beside the tower, and what of src each may import. The command line may import them all. */
const beside: Readonly<Record<string, readonly string[]>> = {
  client: ['protocol'],
  embedded: ['base'],
  kit: ['protocol'],
  console: ['protocol'],
};
/** The files of the client that run in Node only. The rest runs in a browser. */
const nodeOnlyClientFiles = ['node', 'machine-id', 'http-agent'].map(
  (name) => `packages/client/src/${name}.ts`,
);

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** The imported file of ours, or null for a package. */
  readonly target: string | null;
}

const clientSources = 'packages/client/src';
const files = ['src', clientSources]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      posix.join(folder, name.replaceAll('\\', '/')),
    ),
  )
  .filter((file) => /\.(tsx?|css)$/.test(file))
  .sort();
const sourceOf = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const imports = files.flatMap(importsOf);

describe('the architecture', () => {
  it('is read whole: every import of a file of ours leads to one', () => {
    expect(files.length).toBeGreaterThan(30);
    const dangling = imports.filter(({ target }) => target !== null && !sourceOf.has(target));
    expect(dangling.map(describeImport)).toEqual([]);
  });

  it('has a floor or a place beside the tower for every part', () => {
    const parts = [...new Set(files.map(partOf))];
    expect(parts.filter((part) => floors[part] === undefined && beside[part] === undefined)).toEqual([]);
  });

  it('lets a part import only from floors below it', () => {
    const climbing = imports.filter(({ file, target }) => target !== null && !mayImport(file, target));
    expect(climbing.map(describeImport)).toEqual([]);
  });

  it('has no import cycles between files', () => {
    expect(findCycles()).toEqual([]);
  });

  it('keeps the client free of Node, but for the files that are for Node', () => {
    const isForeign = ({ file, target }: Import) => partOf(file) === 'client' && target === null;
    const foreign = imports.filter((one) => isForeign(one) && !nodeOnlyClientFiles.includes(one.file));
    expect(foreign.map(describeImport)).toEqual([]);
    const allowed = imports.filter((one) => isForeign(one) && nodeOnlyClientFiles.includes(one.file));
    expect(allowed.filter(({ specifier }) => !isBuiltinOrWs(specifier)).map(describeImport)).toEqual([]);
  });

  it('keeps the console free of all packages but Preact', () => {
    const packages = imports.filter(({ file, target }) => partOf(file) === 'console' && target === null);
    const foreign = packages.filter(
      ({ specifier }) => !/^(preact(\/hooks)?|@preact\/signals)$/.test(specifier),
    );
    expect(foreign.map(describeImport)).toEqual([]);
  });

  it('keeps colors among the tokens, and each style sheet beside a part that draws it in', () => {
    const sheets = files.filter((file) => file.startsWith('src/console/') && file.endsWith('.css'));
    const colored = linesWith(/#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch)\(/i).filter(
      (place) => /\.css:/.test(place) && !place.startsWith('src/console/tokens.css:'),
    );
    expect(colored).toEqual([]);
    const drawnIn = new Set(imports.map(({ target }) => target));
    expect(sheets.filter((file) => !drawnIn.has(file))).toEqual([]);
    expect(sheets.length).toBeGreaterThan(15);
  });

  it('keeps the protocol free of packages and of Node', () => {
    const foreign = imports.filter(({ file, target }) => partOf(file) === 'protocol' && target === null);
    expect(foreign.map(describeImport)).toEqual([]);
  });

  it('closes WebSockets of the broker in one file', () => {
    const closers = linesWith(/\bws\.(close|terminate)\(|(?<!worker)\.terminate\(/).filter(
      (place) => !place.startsWith('src/gateway/connection.ts:') && !place.startsWith(clientSources),
    );
    expect(closers).toEqual([]);
  });

  it('begins and ends sessions in one file', () => {
    const others = linesWith(
      /new (Session|Registry|Story)\(|\.markEnded\(|\.countIn\(|\bregistry\.(add|remove)\(|(?<![a-z])story\.[a-z]+\(/i,
    ).filter((place) => !/^src\/(session\/(lifecycle|registry)|console\/|kit\/|cli\/)/.test(place));
    expect(others).toEqual([]);
  });

  it('hands settings to the parts by name, so that none holds a secret for nothing', () => {
    const wholes = linesWith(/\.\.\.(this\.)?settings\b|new [A-Z]\w+\((settings|basics)\b/).filter((place) =>
      /^src\/(broker|compose)\b/.test(place),
    );
    expect(wholes).toEqual([]);
    // The parts below never see the table of all settings.
    const takers = imports.filter(
      ({ file, target }) =>
        target === 'src/base/settings.ts' && !/^src\/(broker\.ts|(base|compose|cli)\/)/.test(file),
    );
    expect(takers.map(describeImport)).toEqual([]);
  });

  it('names Redis keys in one file', () => {
    // A hash tag around a value, or the prefix of a key with a user or an id after it.
    const builders = linesWith(
      /\{\$\{|['"`](lease|license|machines|fence|takeovers|request|usage|node):(\$\{|['"`])/,
    ).filter((place) => !place.startsWith('src/store/keys.ts:'));
    expect(builders).toEqual([]);
    // Only those who put the parts together hand the prefix on.
    const prefixed = linesWith(/\bkeyPrefix\b/).filter(
      (place) =>
        !/^src\/(base\/settings(\/redis)?|(compose|store)\/store|cli\/doctor-redis)\.ts:/.test(place),
    );
    expect(prefixed).toEqual([]);
  });

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    const long = files
      // Written by a script, for compilers.
      .filter((file) => file !== 'src/protocol/admin-answers.ts')
      .map((file) => ({ file, lines: (sourceOf.get(file) ?? '').trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > MAX_LINES);
    expect(long.map(({ file, lines }) => `${file} has ${lines} lines`)).toEqual([]);
  });
});

function importsOf(file: string): Import[] {
  const source = sourceOf.get(file) ?? '';
  // Static imports and exports (types too), imports for their effect, dynamic imports and import types.
  const forms =
    /^\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...source.matchAll(forms)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    return { file, specifier, target: targetOf(file, specifier) };
  });
}

function targetOf(file: string, specifier: string): string | null {
  const path = specifier.startsWith('#client/')
    ? posix.join(clientSources, specifier.slice('#client/'.length))
    : posix.join(posix.dirname(file), specifier);
  if (!/^[.#]/.test(specifier)) return null;
  if (path.endsWith('.css')) return path;
  const name = path.replace(/\.js$/, '');
  return sourceOf.has(`${name}.tsx`) ? `${name}.tsx` : `${name}.ts`;
}

/** `store` of `src/store/keys.ts`, `broker.ts` of `src/broker.ts`; the client library has tables of the protocol in it. */
function partOf(file: string): string {
  if (file.startsWith(`${clientSources}/protocol/`)) return 'protocol';
  if (file.startsWith(clientSources)) return 'client';
  return file.split('/')[1] ?? file;
}

function mayImport(file: string, target: string): boolean {
  const from = partOf(file);
  const to = partOf(target);
  if (from === to) return true;
  const besideFrom = beside[from];
  if (besideFrom !== undefined) return besideFrom.includes(to);
  if (beside[to] !== undefined) return from === 'cli';
  return (floors[to] ?? Number.POSITIVE_INFINITY) < (floors[from] ?? 0);
}

function isBuiltinOrWs(specifier: string): boolean {
  return specifier === 'ws' || specifier.startsWith('node:') || builtinModules.includes(specifier);
}

function describeImport({ file, specifier }: Import): string {
  return `${file} imports ${specifier}`;
}

function linesWith(form: RegExp): string[] {
  return [...sourceOf].flatMap(([file, source]) =>
    source
      .split('\n')
      .flatMap((line, index) => (form.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function findCycles(): string[] {
  const next = new Map<string, string[]>();
  for (const { file, target } of imports) {
    if (target !== null) next.set(file, [...(next.get(file) ?? []), target]);
  }
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      cycles.push([...path.slice(at), file].join(' imports '));
      return;
    }
    if (done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return cycles;
}
