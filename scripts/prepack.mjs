import { preparePackage } from './setup.mjs';
import { fail } from './steps.mjs';

// `npm pack` in a fresh clone: what it packs has to be built first.
await preparePackage().catch(fail);
