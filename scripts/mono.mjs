import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const PACKAGES = ['mono-mcs', 'mono-runtime', 'libmono-system-net-http4.0-cil'];
/** What `mono-runtime` is made of: an unpacked copy needs each by name. */
const PARTS = ['mono-runtime-sgen', 'mono-runtime-common'];
const folder = join(toolsFolder, 'mono');
const WHAT_TO_DO = `Install Mono by hand (on Debian: apt-get install ${PACKAGES.join(' ')}), then try again.`;
const onPath = { path: 'mono', compiler: ['mcs'], env: {} };

/** The example in C# is compiled and run by Mono. Its record has `path`, `compiler` (a command) and `env`. */
export async function prepareMono(steps) {
  const found = await firstFound([recorded('mono'), onPath], check);
  if (found) {
    record('mono', found);
    return steps.upToDate(`Mono is there: ${found.path}`);
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), check, onProgress);
  record('mono', await steps.step('getting Mono', WHAT_TO_DO, obtain));
}

async function waysToObtain() {
  const debian = await debianPackages();

  async function installWithApt(onProgress) {
    await debian.installDebianPackages(PACKAGES, onProgress);
    return onPath;
  }
  async function unpackWithDpkg(onProgress) {
    await debian.unpackDebianPackages([...PACKAGES, ...PARTS], folder, onProgress);
    const path = join(folder, 'usr', 'bin', 'mono');
    // `mcs` itself is a script that starts /usr/bin/mono.
    const compiler = [path, join(folder, 'usr', 'lib', 'mono', '4.5', 'mcs.exe')];
    return { path, compiler, env: { MONO_CFG_DIR: join(folder, 'etc') } };
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return ways;
}

/** Compiles and runs a program: there are Monos without a compiler, and without the HTTP client. */
async function check({ path, compiler, env }) {
  mkdirSync(toolsFolder, { recursive: true });
  const probe = join(toolsFolder, 'Probe.cs');
  const program = join(toolsFolder, 'Probe.exe');
  writeFileSync(
    probe,
    'class Probe { static void Main() { System.Console.WriteLine(typeof(System.Net.Http.HttpClient)); } }\n',
  );
  await run(compiler[0], [...compiler.slice(1), '-r:System.Net.Http', `-out:${program}`, probe], { env });
  await run(path, [program], { env });
  return { path, compiler, env };
}
