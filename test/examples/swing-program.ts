import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ClientProcess } from '../support/client-process.js';
import { eventually } from '../support/eventually.js';
import { buildJava } from '../support/java-library.js';
import { openScreen, type Screen } from '../support/screen.js';
import { toolRecord } from '../support/tools.js';
import { environmentOf, type Program, type Sight, type Start } from './program.js';

const sources = join(import.meta.dirname, '..', '..', 'examples', 'swing');

interface Look {
  readonly labels: readonly string[];
  readonly text: string;
  readonly cover: readonly string[] | null;
  readonly buttons: readonly string[];
}

/** Compiles the example into a folder, and gives the class path that runs it. */
export async function compileSwing(folder: string): Promise<string> {
  const { javac, jar } = await buildJava();
  const files = readdirSync(sources).filter((name) => name.endsWith('.java'));
  const paths = [...files.map((name) => join(sources, name)), join(import.meta.dirname, 'SwingDriver.java')];
  const options = ['-J-XX:TieredStopAtLevel=1', '--release', '17', '-Xlint:all,-serial', '-Werror'];
  execFileSync(javac, [...options, '-encoding', 'UTF-8', '-cp', jar, '-d', folder, ...paths]);
  return [jar, folder].join(delimiter);
}

/** The example with Swing. A driver in the same process looks at its components, and clicks and types by a robot. */
export class SwingProgram implements Program {
  private constructor(
    private readonly screen: Screen,
    private readonly process: ClientProcess,
  ) {}

  static async open(classPath: string, start: Start): Promise<SwingProgram> {
    const { path, libraries } = toolRecord<{ path: string; libraries?: string }>('java-windows');
    const screen = await openScreen();
    const args = ['-Xmx96m', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'SwingDriver', 'Notes'];
    const child = ClientProcess.start(path, args, {
      ...environmentOf(start),
      DISPLAY: screen.display,
      ...(libraries && { LD_LIBRARY_PATH: libraries }),
    });
    const program = new SwingProgram(screen, child);
    await eventually('the window of Swing', async () => 'labels' in (await program.#ask('look')));
    return program;
  }

  async look(): Promise<Sight> {
    const { labels, ...rest } = (await this.#ask('look')) as Look;
    return { head: labels.join(' '), ...rest };
  }

  async click(label: string): Promise<void> {
    await this.#ask(`click ${label}`);
  }

  async type(text: string): Promise<void> {
    await this.#ask('enter');
    await this.typeOn(text);
  }

  async typeOn(text: string): Promise<void> {
    await this.#ask(`type ${text}`);
  }

  async tabBack(): Promise<void> {
    await this.#ask('back');
  }

  async takePicture(file: string): Promise<void> {
    await this.#ask(`picture ${file}`);
  }

  async close(): Promise<void> {
    this.process.write('close\n');
    await this.process.ended();
    this.screen.stop();
  }

  /** Gives the driver an order. It answers each with a line, in their order. */
  async #ask(order: string): Promise<object> {
    const { lines } = this.process;
    const before = lines.length;
    this.process.write(`${order}\n`);
    await this.process.printed(() => true, before);
    return JSON.parse(lines[before] ?? '{}');
  }
}
