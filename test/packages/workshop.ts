import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ended } from '../support/command.js';

const root = resolve(import.meta.dirname, '..', '..');

/** An empty folder outside of the project, with nothing of its packages in reach. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'soleseat-packages-'));

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  }

  /** What a command prints. Throws, with all that it said, where it fails. */
  async run(command: string, ...args: readonly string[]): Promise<string> {
    return run(this.folder, command, args);
  }

  /** Packs both packages as npm would publish them, and gives the paths of the tarballs. */
  async pack(from = root, into = 'tarballs'): Promise<readonly string[]> {
    const target = join(this.folder, into);
    mkdirSync(target, { recursive: true });
    await run(from, 'npm', [
      'pack',
      '--workspaces',
      '--include-workspace-root',
      '--pack-destination',
      target,
    ]);
    return readdirSync(target)
      .sort()
      .map((name) => join(target, name));
  }

  /** The project as a fresh clone would have it, with what is not committed yet. */
  async cloneProject(): Promise<string> {
    const clone = join(this.folder, 'clone');
    const files = await run(root, 'git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
    for (const name of files.split('\0').filter((one) => one !== '')) {
      cpSync(join(root, name), join(clone, name), { force: true, recursive: true });
    }
    return clone;
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function run(cwd: string, command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, [...args], { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  const { code, out, err } = await ended(child);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}\n${out}\n${err}`);
  return out;
}

/** A command of a person: nothing that npm or Vitest told this process. */
export function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|TESTS$)/i.test(name)),
  );
}
