import { join } from 'node:path';
import { build } from 'vite';
import { root } from './steps.mjs';

/** Builds the web console into dist/console, which the admin server serves under /console. */
export async function buildConsole() {
  await build({
    configFile: false,
    root: join(root, 'src', 'console'),
    base: './',
    logLevel: 'warn',
    build: {
      outDir: join(root, 'dist', 'console'),
      emptyOutDir: true,
      // Browsers that know light-dark(); older ones would get wrong colors.
      target: ['chrome123', 'firefox120', 'safari17.5'],
      // Nothing inline: the console's Content-Security-Policy forbids it.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  });
}
