import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NotRun } from './finding.js';

const source = fileURLToPath(new URL('sleep-clock.c', import.meta.url));
const NUMBER_BYTES = 8;

/**
 * Clocks of a program that are put forward, as by a sleep of the computer: those that go on in sleep go forward, the
 * monotonic one and all timers stay. No program can set CLOCK_BOOTTIME, so a small library answers in its place.
 */
export class SleepClock {
  readonly environment: Readonly<Record<string, string>>;
  private readonly file: number;

  private constructor(private readonly folder: string) {
    const path = join(folder, 'clock');
    writeFileSync(path, Buffer.alloc(2 * NUMBER_BYTES));
    this.file = openSync(path, 'r+');
    this.environment = { LD_PRELOAD: join(folder, 'sleep-clock.so'), SOLESEAT_KIT_CLOCK: path };
  }

  /** Throws NotRun where it cannot be made. */
  static async make(): Promise<SleepClock> {
    if (process.platform !== 'linux')
      throw new NotRun('only on Linux the kit can let a program believe that its computer slept');
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-kit-'));
    const library = join(folder, 'sleep-clock.so');
    try {
      await promisify(execFile)(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
    } catch {
      rmSync(folder, { recursive: true });
      throw new NotRun('it needs a C compiler (cc, or what CC names), to set the clocks of the program');
    }
    return new SleepClock(folder);
  }

  forward(ms: number): void {
    const number = Buffer.alloc(NUMBER_BYTES);
    number.writeBigInt64LE(BigInt(ms));
    writeSync(this.file, number, 0, NUMBER_BYTES, 0);
  }

  /** Whether the program has read a clock that was put forward. A static program never does. */
  get wasRead(): boolean {
    const number = Buffer.alloc(NUMBER_BYTES);
    readSync(this.file, number, 0, NUMBER_BYTES, NUMBER_BYTES);
    return number.readBigInt64LE() !== 0n;
  }

  end(): void {
    closeSync(this.file);
    rmSync(this.folder, { recursive: true });
  }
}
