import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { findOnPath } from '../../src/embedded/run-command.js';
import { type CommandResult, ended } from './command.js';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'deploy', 'kubernetes');
const require = createRequire(import.meta.url);

/** What a file of Kubernetes describes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

/** All documents of a text. What YAML itself objects to is thrown. */
export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}

/** The files of a folder as they stand, without what kustomize makes of them. */
export function filesIn(...place: readonly string[]): Manifest[] {
  return readdirSync(join(folder, ...place))
    .filter((name) => name !== 'kustomization.yaml')
    .flatMap((name) => manifestsOf(readFileSync(join(folder, ...place, name), 'utf8')));
}

export const overlays = readdirSync(join(folder, 'overlays'));
export const kubectl = findOnPath('kubectl');

export async function render(overlay: string, program: string): Promise<Manifest[]> {
  const child = spawn(program, ['kustomize', join(folder, 'overlays', overlay)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, out, err } = await ended(child);
  // Warnings tell of what newer versions will refuse.
  if (code !== 0 || err !== '') throw new Error(`${overlay}: ${err}`);
  return manifestsOf(out);
}

/** The module that knows manifests of this version. */
function moduleOf({ apiVersion }: Manifest): string {
  return apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;
}

/** What is wrong by the schema of Kubernetes: a missing field, a wrong type, a value out of range. */
export function schemaFaults(manifests: readonly Manifest[]): string[] {
  return manifests.flatMap((manifest) => {
    const Model = require(moduleOf(manifest))[manifest.kind];
    if (Model === undefined) return [`${manifest.apiVersion} has no ${manifest.kind}`];
    try {
      new Model(manifest).validate();
      return [];
    } catch (error) {
      return [`${manifest.kind} ${manifest.metadata.name}: ${(error as Error).message}`];
    }
  });
}

/** The schemas let fields pass that they do not know. The compiler does not: each manifest is a literal of its type. */
export async function unknownFields(name: string, manifests: readonly Manifest[]): Promise<CommandResult> {
  const place = join(root, '.soleseat', 'manifests');
  mkdirSync(place, { recursive: true });
  const file = join(place, `${name}.ts`);
  const lines = manifests.flatMap((manifest, i) => [
    `import type { I${manifest.kind} as T${i} } from '${moduleOf(manifest)}';`,
    `export const m${i}: T${i} = ${JSON.stringify(manifest, null, 1)};`,
  ]);
  writeFileSync(file, lines.join('\n'));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const how = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--types', ''];
  const child = spawn(process.execPath, [compiler, ...how, '--ignoreConfig', file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result = await ended(child);
  rmSync(file);
  return result;
}
