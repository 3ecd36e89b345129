import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SECONDS, secondsOf } from './support/longest-first.js';

it('the files that are begun first are there, by the names in the table', () => {
  const paths = Object.keys(SECONDS).map((name) => join(import.meta.dirname, name));
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  expect(paths.map(secondsOf)).toEqual(Object.values(SECONDS));
  expect(secondsOf(import.meta.filename)).toBe(0);
});
