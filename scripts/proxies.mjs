import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, record, recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'proxies');
const programs = {
  nginx: { file: 'usr/sbin/nginx', version: ['-v'] },
  haproxy: { file: 'usr/sbin/haproxy', version: ['-v'] },
  caddy: { file: 'usr/bin/caddy', version: ['version'] },
};
const WHAT_TO_DO =
  'They are unpacked from the packages of Debian or Ubuntu; elsewhere leave out "npm run test:all".';

/** The proxies that `npm run test:all` puts before a broker. They are unpacked, so that none of them starts as a service. */
export async function prepareProxies(steps) {
  const known = recorded('proxies');
  if (known && Object.values(known.paths).every(existsSync)) return steps.upToDate('the proxies are there');
  record('proxies', await steps.step('getting nginx, HAProxy and Caddy', WHAT_TO_DO, obtain));
}

async function obtain(onProgress) {
  const debian = await debianPackages();
  await debian.unpackDebianPackages(Object.keys(programs), folder, onProgress);
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
  const paths = {};
  for (const [name, { file, version }] of Object.entries(programs)) {
    paths[name] = join(folder, file);
    await run(paths[name], version, { env: { ...process.env, LD_LIBRARY_PATH: libraries } });
  }
  return { paths, libraries };
}
