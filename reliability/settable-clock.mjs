import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The environment of a Redis whose clock can be set; null where there is no C compiler to make it with. */
export function settableClock() {
  const folder = mkdtempSync(join(tmpdir(), 'soleseat-clock-'));
  folders.add(folder);
  const library = join(folder, 'clock.so');
  const source = join(import.meta.dirname, 'clock.c');
  const { status } = spawnSync('cc', ['-O1', '-shared', '-fPIC', '-o', library, source], { stdio: 'ignore' });
  if (status !== 0) return null;
  const file = join(folder, 'offset');
  const set = (seconds) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    // In place: the server has the file mapped.
    writeFileSync(file, bytes, { flag: 'r+' });
  };
  writeFileSync(file, Buffer.alloc(8));
  return { env: { LD_PRELOAD: library, CLOCK_OFFSET_FILE: file }, set };
}
