import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { BUILD_PATIENCE_MS } from '../support/java-library.js';
import { tellStory } from './story.js';
import { compileSwing, SwingProgram } from './swing-program.js';

const folder = mkdtempSync(join(tmpdir(), 'soleseat-swing-'));
let classPath: string;
beforeAll(async () => {
  classPath = await compileSwing(folder);
}, BUILD_PATIENCE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the example with Swing', () => tellStory('swing', (start) => SwingProgram.open(classPath, start)));
