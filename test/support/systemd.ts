import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const NOBODY = 65_534;

/** The lines of a unit: `Section.Name` → its values, in their order. */
export function readUnit(file: string): Map<string, string[]> {
  const unit = new Map<string, string[]>();
  let section = '';
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, named] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (named !== undefined) section = named;
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const key = `${section}.${name}`;
    unit.set(key, [...(unit.get(key) ?? []), value]);
  }
  return unit;
}

export interface ReplayOptions {
  readonly unit: Map<string, string[]>;
  readonly folder: string;
  /** Where things are here: `/opt/soleseat` → the project. */
  readonly places: Readonly<Record<string, string>>;
  /** Settings beside those of the unit. */
  readonly more: Readonly<Record<string, string>>;
}

/**
 * Does what systemd does with a unit, where there is none: its environment and credentials, its user without rights, its
 * umask and limits, and its commands.
 */
export class UnitReplay {
  readonly #environment: Record<string, string>;
  child: ChildProcess | null = null;

  constructor(private readonly options: ReplayOptions) {
    const { unit, folder, more } = options;
    const credentials = join(folder, 'credentials');
    mkdirSync(credentials, { mode: 0o700 });
    for (const line of unit.get('Service.LoadCredential') ?? []) {
      const [name = '', source = ''] = line.split(':');
      writeFileSync(join(credentials, name), readFileSync(this.#placed(source)), { mode: 0o400 });
      this.#give(join(credentials, name));
    }
    this.#give(credentials);
    const assignments = (unit.get('Service.Environment') ?? []).map((line) =>
      line.replace('%d', credentials),
    );
    // A file outranks the lines of the unit.
    for (const file of unit.get('Service.EnvironmentFile') ?? [])
      assignments.push(...readFileSync(this.#placed(file), 'utf8').split('\n'));
    this.#environment = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
      ...parsed(assignments),
      ...more,
    };
  }

  /** Whether it runs as a user of its own: as root, and where everybody may enter the folders of the project. */
  get isOther(): boolean {
    return process.getuid?.() === 0 && Object.values(this.options.places).every(isOpen);
  }

  /** Starts the main process. Gives it. */
  start(): ChildProcess {
    const [umask = '0022'] = this.options.unit.get('Service.UMask') ?? [];
    const [files = '1024'] = this.options.unit.get('Service.LimitNOFILE') ?? [];
    const [directory = '/'] = this.options.unit.get('Service.WorkingDirectory') ?? [];
    const [command = ''] = this.options.unit.get('Service.ExecStart') ?? [];
    // A limit above the machine's own is not for a test to raise.
    const limit = `ulimit -n ${files} 2>/dev/null || true`;
    const line = `umask ${umask}; ${limit}; exec ${this.#placed(command)}`;
    const user = this.isOther ? { uid: NOBODY, gid: NOBODY } : {};
    this.child = spawn('sh', ['-c', line], {
      ...user,
      cwd: this.#placed(directory),
      env: this.#environment,
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    return this.child;
  }

  /** What `systemctl reload` does. Gives the exit code. */
  reload(): number | null {
    const [command = ''] = this.options.unit.get('Service.ExecReload') ?? [];
    return spawnSync('sh', ['-c', command.replace('$MAINPID', String(this.child?.pid))]).status;
  }

  stop(): void {
    const [signal = 'SIGTERM'] = this.options.unit.get('Service.KillSignal') ?? [];
    this.child?.kill(signal as NodeJS.Signals);
  }

  #placed(text: string): string {
    let placed = text;
    for (const [place, here] of Object.entries(this.options.places)) placed = placed.replaceAll(place, here);
    return placed;
  }

  #give(path: string): void {
    if (this.isOther) chownSync(path, NOBODY, NOBODY);
  }
}

function isOpen(path: string): boolean {
  const isEntered = (statSync(path).mode & 0o005) === 0o005;
  return isEntered && (dirname(path) === path || isOpen(dirname(path)));
}

function parsed(lines: readonly string[]): Record<string, string> {
  const assignments = lines.filter((line) => /^\w+=/.test(line));
  return Object.fromEntries(assignments.map((line) => [line.split('=')[0] ?? '', line.replace(/^\w+=/, '')]));
}
