import { setup } from './setup.mjs';
import { createSteps, fail } from './steps.mjs';
import { debianPackages } from './tools.mjs';
import { runVitest } from './vitest.mjs';

const tests = ['test/console/pages.test.ts', 'test/examples/electron.test.ts', 'test/examples/swing.test.ts'];

// The pictures of README.md and docs/, taken by the tests that look at every page. Names of tests that are given choose among them.
process.env.UPDATE_SCREENSHOTS = '1';
process.env.TESTS = 'all';
const chosen = process.argv.slice(2);
await setup({ quiet: true, forTests: true })
  .then(prepareFont)
  .then(() => runVitest(chosen.length > 0 ? chosen : tests))
  .catch(fail);

/** The pictures look alike wherever they are taken, if this font is there. */
async function prepareFont() {
  const debian = await debianPackages();
  if (!debian.hasDebianPackages() || !debian.isRoot()) return;
  await createSteps({ quiet: true }).step('getting the font Inter', 'Install it by hand.', (onProgress) =>
    debian.installDebianPackages(['fonts-inter'], onProgress),
  );
}
