import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ClientProcess } from '../support/client-process.js';
import { eventually } from '../support/eventually.js';
import { openScreen, type Screen } from '../support/screen.js';
import { toolRecord } from '../support/tools.js';
import { environmentOf, type Program, type Sight, type Start } from './program.js';

const main = join(import.meta.dirname, '..', '..', 'examples', 'electron', 'main.mjs');
/** The example for Electron, in a window of Chromium. It is looked at, clicked and typed in through the browser's own port. */
export class PageProgram implements Program {
  private constructor(
    private readonly screen: Screen,
    private readonly process: ClientProcess,
    private readonly browser: Browser,
    private readonly page: Page,
    private readonly profile: string,
  ) {}

  static async open(start: Start): Promise<PageProgram> {
    const { path, libraries = [] } = toolRecord<{ path: string; libraries?: string[] }>('chromium');
    const screen = await openScreen();
    const profile = mkdtempSync(join(tmpdir(), 'soleseat-page-'));
    // Its sandbox does not work for root, as which tests run in containers.
    const flags = [
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
    ];
    const child = ClientProcess.start(process.execPath, [main], {
      ...environmentOf(start),
      DISPLAY: screen.display,
      CHROMIUM: path,
      CHROMIUM_FLAGS: flags.join(' '),
      ...(libraries.length > 0 && { LD_LIBRARY_PATH: libraries.join(':') }),
    });
    const port = await portOf(profile, child);
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
    const page = (await eventually('the page', () => browser.contexts()[0]?.pages()[0])) as Page;
    await page.locator('#machine', { hasText: start.machine }).waitFor();
    return new PageProgram(screen, child, browser, page, profile);
  }

  async look(): Promise<Sight> {
    return this.page.evaluate(() => {
      const lines = (part: string) =>
        Array.from(document.querySelectorAll(part))
          .filter((one) => one.checkVisibility())
          .flatMap((one) => one.textContent.split('\n'))
          .filter((line) => line !== '');
      const cover = lines('#cover h2, #cover p');
      return {
        head: lines('header > *').join(' '),
        text: document.querySelector('textarea')?.value ?? '',
        cover: cover.length === 0 ? null : cover,
        buttons: lines('#cover button'),
      };
    });
  }

  async click(label: string): Promise<void> {
    const place = await this.page.evaluate((wanted) => {
      const button = document.querySelector('#cover button');
      if (!button?.checkVisibility() || button.textContent !== wanted) return null;
      const { x, y, width, height } = button.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    }, label);
    if (place === null) throw new Error(`the button "${label}" is not to be seen`);
    await this.page.mouse.click(place.x, place.y);
  }

  async type(text: string): Promise<void> {
    const box = await this.page.locator('textarea').boundingBox();
    if (box === null) throw new Error('the text is not to be seen');
    // By the place alone, whatever lies over it. Near the corner: its middle may be under the card.
    await this.page.mouse.click(box.x + 40, box.y + 40);
    await this.page.keyboard.press('Control+End');
    await this.typeOn(text);
  }

  async typeOn(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  async tabBack(): Promise<void> {
    await this.page.keyboard.press('Shift+Tab');
  }

  async takePicture(file: string): Promise<void> {
    await this.page.screenshot({ path: file });
  }

  async close(): Promise<void> {
    await this.page.close();
    await this.process.ended();
    await this.browser.close();
    this.screen.stop();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

/** Chromium writes the port that it chose into its profile. */
async function portOf(profile: string, { child }: ClientProcess): Promise<string> {
  const file = join(profile, 'DevToolsActivePort');
  return eventually("Chromium's port", () => {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}`);
    return existsSync(file) && readFileSync(file, 'utf8').split('\n')[0];
  }) as Promise<string>;
}
