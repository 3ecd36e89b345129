import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SECONDS, secondsOf, WAITING } from './support/longest-first.js';

it('the files that are begun first are there, by the names in the table', () => {
  const paths = Object.keys(SECONDS).map((name) => join(import.meta.dirname, name));
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  expect(paths.map(secondsOf)).toEqual(Object.values(SECONDS));
  expect(secondsOf(import.meta.filename)).toBe(0);
});

it('the files that mostly wait are there, and of the flows: none is run twice', () => {
  expect(WAITING.filter((name) => !existsSync(join(import.meta.dirname, name)))).toEqual([]);
  expect(WAITING.filter((name) => /^(auth|base|license|outbox|protocol|session|store)\//.test(name))).toEqual(
    [],
  );
});
