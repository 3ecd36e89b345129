import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './steps.mjs';

/** Licenses that ask for no more than to be named. Another one is a decision for people: add it here once it was made. */
export const allowedLicenses = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'Unlicense',
];

export const pagePath = join(root, 'docs', 'third-party.md');

/** The packages that an installation without development brings along, by name. */
export function productionPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, one]) => path.startsWith('node_modules/') && !one.dev && !one.link)
    .map(([path, one]) => ({
      ...one,
      path,
      name: one.name ?? path.slice(path.lastIndexOf('node_modules/') + 13),
    }))
    .sort((one, other) => (`${one.name}@${one.version}` < `${other.name}@${other.version}` ? -1 : 1));
}

export function pageText() {
  const rows = productionPackages().map(
    ({ name, version, license, optional }) =>
      `| ${name} | ${version} | ${license} | ${optional ? 'optional' : ''} |`,
  );
  return `# Packages of others

Written by \`npm run third-party\` from package-lock.json. Each package has its license text beside it in \`node_modules\`.
\`npm run release\` makes an SBOM (CycloneDX) of the same packages.

| package | version | license | |
|---|---|---|---|
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = pageText();
  writeFileSync(pagePath, text);
  process.stdout.write(`docs/third-party.md: ${productionPackages().length} packages\n`);
}
