import { setup } from './setup.mjs';
import { becomeCommand, fail } from './steps.mjs';

await setup({ quiet: true }).then(() => becomeCommand(['dev', ...process.argv.slice(2)]), fail);
