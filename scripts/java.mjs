import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { run } from './steps.mjs';
import { debianPackages, firstFound, obtainBy, record, recorded, toolsFolder } from './tools.mjs';

const OLDEST_JAVA = 17;
const folder = join(toolsFolder, 'java');
const WHAT_TO_DO =
  'Install a JDK 17 or newer by hand (on Debian: apt-get install openjdk-17-jdk-headless), then try again.';

/** Tests drive the broker with the JDK's own WebSocket too: a JDK that runs a program from its source file. */
export async function prepareJava(steps) {
  const fromHome = process.env.JAVA_HOME && { path: join(process.env.JAVA_HOME, 'bin', 'java') };
  const found = await firstFound([recorded('java'), { path: 'java' }, fromHome], check);
  if (found) {
    record('java', found);
    return steps.upToDate(`a JDK is there: ${found.path}`);
  }
  const obtain = async (onProgress) => obtainBy(await waysToObtain(), check, onProgress);
  record('java', await steps.step('getting a JDK', WHAT_TO_DO, obtain));
}

async function waysToObtain() {
  const debian = await debianPackages();

  async function installWithApt(onProgress) {
    await debian.installDebianPackages(['openjdk-17-jdk-headless'], onProgress);
    const java = readdirSync('/usr/lib/jvm').find((name) => name.startsWith('java-17-openjdk-'));
    return { path: join('/usr/lib/jvm', java ?? 'default-java', 'bin', 'java') };
  }
  async function unpackWithDpkg(onProgress) {
    // The compiler is in the one package, the machine that runs what it compiled in the other.
    await debian.unpackDebianPackages(
      ['openjdk-17-jdk-headless', 'openjdk-17-jre-headless'],
      folder,
      onProgress,
    );
    return { path: unpackedJava(folder) };
  }

  const ways = [];
  if (debian.hasDebianPackages() && debian.isRoot()) ways.push(installWithApt);
  if (debian.hasDebianPackages()) ways.push(unpackWithDpkg);
  return ways;
}

/** The `java` of Debian's packages that were unpacked under a folder, made ready to run there. */
export function unpackedJava(root) {
  turnLinksInwards(root);
  const jvm = join(root, 'usr', 'lib', 'jvm');
  const java = readdirSync(jvm).find((name) => /^java-\d+-openjdk-/.test(name));
  if (!java) throw new Error('the packages hold no JDK');
  return join(jvm, java, 'bin', 'java');
}

/** Debian's JDK finds its settings by links to /etc, which in an unpacked copy lies under the folder. */
function turnLinksInwards(root) {
  for (const name of readdirSync(root, { recursive: true })) {
    const path = join(root, name);
    if (!lstatSync(path).isSymbolicLink()) continue;
    const target = readlinkSync(path);
    if (!target.startsWith('/etc/')) continue;
    rmSync(path);
    symlinkSync(relative(dirname(path), join(root, target)), path);
  }
}

/** Runs a program from its source, as the tests do: a Java without its compiler cannot. */
async function check({ path }) {
  mkdirSync(toolsFolder, { recursive: true });
  const probe = join(toolsFolder, 'Probe.java');
  writeFileSync(
    probe,
    'class Probe { public static void main(String[] a) { System.out.println(Runtime.version().feature()); } }\n',
  );
  const version = Number((await run(path, [probe])).trim().split('\n').at(-1));
  if (!(version >= OLDEST_JAVA)) throw new Error(`${path} is Java ${version}, older than ${OLDEST_JAVA}`);
  return { path };
}
