import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'proxies');
const programs = {
  nginx: { package: 'nginx', file: 'usr/sbin/nginx', version: ['-v'] },
  haproxy: { package: 'haproxy', file: 'usr/sbin/haproxy', version: ['-v'] },
  caddy: { package: 'caddy', file: 'usr/bin/caddy', version: ['version'] },
  apache: { package: 'apache2-bin', file: 'usr/sbin/apache2', version: ['-v'] },
};
const WHAT_TO_DO =
  'They are unpacked from the packages of Debian or Ubuntu; elsewhere leave out "npm run test:all".';

/** The proxies that `npm run test:all` puts before a broker. They are unpacked, so that none of them starts as a service. */
export async function prepareProxies(steps) {
  const known = recorded('proxies');
  const isComplete = known && Object.keys(programs).every((name) => existsSync(known.paths[name] ?? ''));
  if (isComplete) return steps.upToDate('the proxies are there');
  record('proxies', await steps.step('getting nginx, HAProxy, Caddy and Apache', WHAT_TO_DO, obtain));
}

/** The versions of the proxies that were recorded, by name. */
export async function proxyVersions({ paths, libraries } = recorded('proxies')) {
  const versions = {};
  for (const [name, { version }] of Object.entries(programs)) {
    const said = await run(paths[name], version, { env: { LD_LIBRARY_PATH: libraries } });
    versions[name] = /\d+\.\d+\.\d+/.exec(said)?.[0] ?? said.trim();
  }
  return versions;
}

async function obtain(onProgress) {
  const debian = await debianPackages();
  const packages = Object.values(programs).map((one) => one.package);
  await debian.unpackDebianPackages(packages, folder, onProgress);
  const libraries = ['lib', 'usr/lib']
    .map((one) => join(folder, one))
    .filter(existsSync)
    .flatMap((one) => [
      one,
      ...readdirSync(one)
        .filter((name) => name.endsWith('-linux-gnu'))
        .map((name) => join(one, name)),
    ])
    .join(':');
  const paths = Object.fromEntries(
    Object.entries(programs).map(([name, { file }]) => [name, join(folder, file)]),
  );
  // Each of them is run once.
  await proxyVersions({ paths, libraries });
  return { paths, libraries };
}
