import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './steps.mjs';
import { debianPackages, toolsFolder } from './tools.mjs';

const rootsFolder = join(toolsFolder, 'roots');
const launchersFolder = join(rootsFolder, 'launchers');
const inRoot = join(root, 'scripts', 'in-root.sh');
const QUIET = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/**
 * A small Debian of another suite (`trixie`, `sid`) in a folder of its own, for programs in versions that this machine does not
 * have. It is made once; each later call gets the newest packages. It needs root, on Debian or Ubuntu.
 * DEBIAN_MIRROR names another mirror than debootstrap's own.
 */
export class DebianRoot {
  constructor(suite) {
    this.suite = suite;
    this.folder = join(rootsFolder, suite);
  }

  static async prepare(suite, onProgress = () => {}) {
    const debian = await debianPackages();
    if (!debian.hasDebianPackages() || !debian.isRoot())
      throw new Error(`a Debian ${suite} in a folder takes root on Debian or Ubuntu`);
    const made = new DebianRoot(suite);
    if (!existsSync(made.folder)) await make(made.folder, suite, debian, onProgress);
    copyFileSync('/etc/resolv.conf', join(made.folder, 'etc', 'resolv.conf'));
    // debootstrap writes none. A Sentinel that announces host names needs one address for each.
    writeFileSync(join(made.folder, 'etc', 'hosts'), '127.0.0.1 localhost\n');
    await made
      .run('apt-get', ['-q', 'update'])
      .catch((error) => onProgress(`the package lists stay as they were: ${reasonOf(error)}`));
    return made;
  }

  /** Installs the packages, or their newest versions. What is installed and cannot be renewed stays. */
  async install(packages, onProgress = () => {}) {
    onProgress(`${packages.join(', ')} of Debian ${this.suite}`);
    try {
      await this.run('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...packages]);
    } catch (error) {
      const isThere = await this.run('dpkg', ['-s', ...packages]).then(
        () => true,
        () => false,
      );
      if (!isThere) throw error;
      onProgress(`they stay as they were: ${reasonOf(error)}`);
    }
  }

  /** Runs a program within to its end, and gives what it printed. */
  run(program, args, { env } = {}) {
    return run(inRoot, [this.folder, root, program, ...args], { env: { ...QUIET, ...env } });
  }

  /** A file to be started in place of a program within: it takes the same arguments and signals. */
  launcher(program) {
    mkdirSync(launchersFolder, { recursive: true });
    const file = join(launchersFolder, `${this.suite}-${program.replace(/^.*\//, '')}`);
    writeFileSync(file, `#!/bin/sh\nexec '${inRoot}' '${this.folder}' '${root}' '${program}' "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  }
}

/** The last line that the program printed. */
function reasonOf({ message }) {
  return message.split('\n').at(-2) ?? message;
}

async function make(folder, suite, debian, onProgress) {
  await debian.installDebianPackages(['debootstrap', 'debian-archive-keyring'], onProgress);
  onProgress(`making a small Debian ${suite}: this takes a minute or two`);
  const work = `${folder}.${process.pid}`;
  const mirror = process.env.DEBIAN_MIRROR;
  try {
    const args = ['--variant=minbase', suite, work, ...(mirror ? [mirror] : [])];
    // What it mounts ends with it, so that the folder can be deleted in any case.
    const apart = ['--mount', '--propagation', 'private'];
    await run('unshare', [...apart, 'debootstrap', ...args], { env: QUIET });
    // No service starts within.
    writeFileSync(join(work, 'usr', 'sbin', 'policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
