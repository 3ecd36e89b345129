import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildJavaClient } from './java-client.mjs';
import { setup } from './setup.mjs';
import { createSteps, fail, npm, root, run } from './steps.mjs';

const folder = join(root, 'release');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Makes all that is handed out, into the folder `release`. */
async function main() {
  await setup({ quiet: true });
  const { step } = createSteps();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  await step('packages for npm: the broker, the client library', 'npm pack shows more.', async () => {
    await npm(['pack', '--pack-destination', folder]);
    await npm(['pack', '--pack-destination', folder, '--workspace', '@soleseat/client']);
  });
  await step('jar of the Java library', 'npm run build:java shows more.', async (onProgress) => {
    const { jar } = await buildJavaClient({ onProgress });
    copyFileSync(jar, join(folder, `soleseat-client-${version}.jar`));
  });
  await step('source of the Python library', 'Is tar installed?', () => packPython());
  await step('list of all parts (CycloneDX)', 'npm sbom shows more.', () => writeSbom());
  await step('licenses of others', 'npm run third-party writes the page.', () =>
    copyFileSync(join(root, 'docs', 'third-party.md'), join(folder, 'THIRD_PARTY.md')),
  );
  await step('checksums', 'Is the folder release writable?', () => writeChecksums());
  process.stdout.write(
    `\nrelease/\n${names()
      .map((name) => `  ${sizeOf(name)}  ${name}`)
      .join('\n')}\n`,
  );
}

function packPython() {
  const files = ['LICENSE', 'README.md', 'pyproject.toml', 'soleseat_client'];
  const archive = join(folder, `soleseat-client-python-${version}.tar.gz`);
  return run('tar', [
    '--exclude=__pycache__',
    '-czf',
    archive,
    '-C',
    join(root, 'clients', 'python'),
    ...files,
  ]);
}

/** What npm itself knows of the packages that are installed with the broker. It asks nobody. */
async function writeSbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--sbom-type', 'application'];
  const text = await npm(args);
  const sbom = JSON.parse(text.slice(text.indexOf('{')));
  // npm calls it by the folder of the clone.
  sbom.metadata.component.name = 'soleseat';
  writeFileSync(join(folder, `soleseat-${version}.cdx.json`), `${JSON.stringify(sbom, null, 2)}\n`);
}

function writeChecksums() {
  const lines = names().map((name) => {
    const digest = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    return `${digest}  ${name}\n`;
  });
  writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
}

const names = () => readdirSync(folder).sort();
const sizeOf = (name) => `${(statSync(join(folder, name)).size / 1024).toFixed(0).padStart(6)} KB`;

await main().catch(fail);
