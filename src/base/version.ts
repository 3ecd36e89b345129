import { readFileSync } from 'node:fs';

/** As in package.json, which lies two folders up from here both in src and in dist. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
