import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NotRun } from './finding.js';

const source = fileURLToPath(new URL('set-clock.c', import.meta.url));
const NUMBER_BYTES = 8;

/** The places of the numbers in the file. */
const [FORWARD, WALL, WAS_READ] = [0, NUMBER_BYTES, 2 * NUMBER_BYTES];

/**
 * Sets the clocks of one program. After a sleep those that go on in sleep have gone forward, and the monotonic one and all
 * timers have not. No program can set CLOCK_BOOTTIME, so a small library answers in its place.
 */
export class SetClock {
  readonly environment: Readonly<Record<string, string>>;
  private readonly file: number;

  private constructor(private readonly folder: string) {
    const path = join(folder, 'clock');
    writeFileSync(path, Buffer.alloc(3 * NUMBER_BYTES));
    this.file = openSync(path, 'r+');
    this.environment = { LD_PRELOAD: join(folder, 'set-clock.so'), SOLESEAT_KIT_CLOCK: path };
  }

  /** Throws NotRun where it cannot be made. */
  static async make(): Promise<SetClock> {
    if (process.platform !== 'linux')
      throw new NotRun('only on Linux the kit can set the clocks of a program');
    const folder = mkdtempSync(join(tmpdir(), 'soleseat-kit-'));
    const library = join(folder, 'set-clock.so');
    try {
      await promisify(execFile)(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
    } catch {
      rmSync(folder, { recursive: true });
      throw new NotRun('it needs a C compiler (cc, or what CC names), to set the clocks of the program');
    }
    return new SetClock(folder);
  }

  /** The computer slept for so long. */
  sleep(ms: number): void {
    this.write(ms, FORWARD);
  }

  /** Somebody set the wall clock, forward or back. */
  setWall(ms: number): void {
    this.write(ms, WALL);
  }

  /** Whether the program has read a clock that was set. A static program never does. */
  get wasRead(): boolean {
    const number = Buffer.alloc(NUMBER_BYTES);
    readSync(this.file, number, 0, NUMBER_BYTES, WAS_READ);
    return number.readBigInt64LE() !== 0n;
  }

  end(): void {
    closeSync(this.file);
    rmSync(this.folder, { recursive: true });
  }

  private write(ms: number, at: number): void {
    const number = Buffer.alloc(NUMBER_BYTES);
    number.writeBigInt64LE(BigInt(ms));
    writeSync(this.file, number, 0, NUMBER_BYTES, at);
  }
}
