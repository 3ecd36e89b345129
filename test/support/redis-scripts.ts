import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../../src/embedded/run-command.js';
import { type CommandResult, ended } from './command.js';
import { toolRecord } from './tools.js';

const root = join(import.meta.dirname, '..', '..');

/** Where the scripts find what comes with Redis: as the set-up of `npm test` recorded it. */
export function toolEnv(): Record<string, string> {
  const { cli, check } = toolRecord<{ readonly cli: string; readonly check: string }>('redis-tools');
  return { PATH: process.env.PATH ?? '', REDIS_CLI: cli, REDIS_CHECK_RDB: check };
}

/** Runs a script of deploy/redis to its end. */
export function redisScript(
  name: 'backup.sh' | 'restore.sh',
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const file = join(root, 'deploy', 'redis', name);
  return ended(spawn(file, args, { env: { ...toolEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** The block of docs/backup.md between these marks, as somebody would type it. */
export function blockOf(mark: string): string {
  const page = readFileSync(join(root, 'docs', 'backup.md'), 'utf8');
  const [, block] =
    new RegExp(`<!-- ${mark} -->\\s*\`\`\`\\w*\\n([\\s\\S]*?)\`\`\`\\s*<!-- /${mark} -->`).exec(page) ?? [];
  if (block === undefined) throw new Error(`docs/backup.md has no block ${mark}`);
  return block;
}

/** Runs lines of a page in a shell to its end. What it left running ends with it, but for what became a daemon. */
export async function shell(
  lines: string,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const child = spawn('sh', ['-eu', '-c', lines], {
    cwd: folder,
    detached: true,
    env: { ...toolEnv(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result = ended(child);
  child.once('exit', () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // Nothing was left.
    }
  });
  return result;
}

/** Another kind of server on the PATH beside the one that tests use. */
export function otherServers(used: string): string[] {
  const found = ['redis-server', 'valkey-server'].map((name) => findOnPath(name));
  return found.filter((path): path is string => path !== undefined && path !== used);
}
