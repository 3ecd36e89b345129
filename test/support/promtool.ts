import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const record = new URL('../../.soleseat/promtool.json', import.meta.url);

/** Runs promtool, which the set-up of `npm test` provides. Gives its exit code and all that it printed. */
export async function promtool(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly output: string }> {
  const { path } = JSON.parse(readFileSync(record, 'utf8')) as { path: string };
  const cwd = fileURLToPath(new URL('../../', import.meta.url));
  const child = spawn(path, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  // promtool may end before it has read all, or anything: EPIPE. Its exit code and output say why.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, output: out + err };
}
