import { toolRecord } from './tools.js';

/** A screen for the windows of programs. */
export interface Screen {
  /** For DISPLAY. */
  readonly display: string;
  stop(): void;
}

/** The screen that the set-up of `npm test` provides: one of its own, which nobody sees. */
export async function openScreen(): Promise<Screen> {
  const script = new URL('../../scripts/screen.mjs', import.meta.url);
  const { startScreen } = (await import(script.href)) as { startScreen(tool: unknown): Promise<Screen> };
  return startScreen(toolRecord('screen'));
}
