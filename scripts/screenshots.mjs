import { setup } from './setup.mjs';
import { fail } from './steps.mjs';
import { runVitest } from './vitest.mjs';

// The pictures of README.md and docs/, taken by the test that looks at every page.
process.env.UPDATE_SCREENSHOTS = '1';
await setup({ quiet: true, forTests: true })
  .then(() => runVitest(['test/console/pages.test.ts']))
  .catch(fail);
