import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts `soleseat …` as built, with nothing in its environment but what is given. */
export function startCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  options: SpawnOptions = {},
): ChildProcess {
  const own: SpawnOptions = { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
  return spawn(process.execPath, [main, ...args], { ...own, ...options });
}

/** How it ends. What asks a server in this process must not block it. */
export function ended(child: ChildProcess): Promise<CommandResult> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => (out += chunk));
  child.stderr?.on('data', (chunk) => (err += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}
