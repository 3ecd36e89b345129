import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a script without types.
import { allowedLicenses, pagePath, pageText, productionPackages } from '../scripts/third-party.mjs';

const root = resolve(import.meta.dirname, '..');

interface Entry {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Entry>>;
};
const ours = ['', 'packages/client', 'node_modules/@soleseat/client'];

/** What is wrong with an entry of a lock file; null: nothing. */
function faultOf(path: string, { integrity = '', resolved, link }: Entry): string | null {
  if (ours.includes(path)) return null;
  if (link) return 'is a link';
  // What comes from the registry has a digest of its whole; what comes from git or a file has none.
  if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)) return 'has no integrity of sha512';
  // Left out, it is the registry that npm is set to.
  return resolved === undefined || resolved.startsWith('https://registry.npmjs.org/')
    ? null
    : `is from ${resolved}`;
}

const production = productionPackages() as readonly {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly license?: string;
  readonly hasInstallScript?: boolean;
}[];

describe('the lock file', () => {
  it('has the digest of each package, and none from elsewhere than the registry', () => {
    const entries = Object.entries(lock.packages);
    expect(entries.length).toBeGreaterThan(100);
    expect(
      entries.flatMap(([path, entry]) =>
        faultOf(path, entry) === null ? [] : [[path, faultOf(path, entry)]],
      ),
    ).toEqual([]);
  });

  const digest = `sha512-${'A'.repeat(86)}==`;
  it.each<readonly [string, Entry]>([
    ['no digest', {}],
    ['an old digest', { integrity: 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
    ['a source in git', { resolved: 'git+ssh://git@example.com/a.git#0' }],
    ['a file', { resolved: 'file:../a.tgz', integrity: digest }],
    ['another server', { resolved: 'https://example.com/a.tgz', integrity: digest }],
    ['a link', { resolved: '../a', link: true }],
  ])('would be refused with %s', (_, entry) => {
    expect(faultOf('node_modules/a', { integrity: digest })).toBeNull();
    expect(faultOf('node_modules/a', entry)).not.toBeNull();
  });
});

describe('the packages of others that the broker brings along', () => {
  it('run nothing when they are installed', () => {
    expect(production.length).toBeGreaterThan(50);
    expect(production.filter(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
    // npm looks at more than the lock file.
    const scripted = production.filter(({ path }) => {
      const text = existsSync(join(root, path, 'package.json'))
        ? readFileSync(join(root, path, 'package.json'), 'utf8')
        : '{}';
      const { scripts = {} } = JSON.parse(text) as { scripts?: Record<string, string> };
      return (
        ['preinstall', 'install', 'postinstall'].some((name) => scripts[name] !== undefined) ||
        existsSync(join(root, path, 'binding.gyp'))
      );
    });
    expect(scripted.map(({ name }) => name)).toEqual([]);
  });

  it('have licenses that were agreed to', () => {
    const foreign = production.filter(({ license = '' }) => !allowedLicenses.includes(license));
    expect(foreign.map(({ name, license }) => `${name}: ${license}`)).toEqual([]);
  });

  it('are listed, each with its license, as `npm run third-party` writes it', () => {
    expect(readFileSync(pagePath, 'utf8')).toBe(pageText());
  });
});
