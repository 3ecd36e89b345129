import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_PATIENCE_MS } from '../support/java-library.js';
import { casesOf } from '../support/scope.js';
import { tellStory } from './story.js';
import { compileSwing, SwingProgram } from './swing-program.js';

const folder = mkdtempSync(join(tmpdir(), 'soleseat-swing-'));
let classPath: string;
beforeAll(async () => {
  classPath = await compileSwing(folder);
}, BUILD_PATIENCE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('the example with Swing compiles without a warning', () => {
  expect(classPath).toContain(folder);
});

// Java starts slowly, and its windows need more packages of Debian: only where all is tried.
describe.each(casesOf(['Swing'], () => false))('the example with %s', () => {
  tellStory('swing', (start) => SwingProgram.open(classPath, start));
});
