import { setup } from './setup.mjs';
import { becomeCommand, fail } from './steps.mjs';

await setup({ quiet: true }).then(() => becomeCommand(['demo', ...process.argv.slice(2)]), fail);
