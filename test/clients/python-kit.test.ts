import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Command } from '../../src/kit/program.js';
import { checksHere, judge } from '../kit/judge.js';
import { type Face, faces, pythonWithLibrary } from '../support/python-seat.js';
import { findings } from './kit-findings.js';

const { path, env } = pythonWithLibrary();
// The programs of the kit inherit the environment of this process.
Object.assign(process.env, env);

// Side by side: their checks wait for most of their time.
it.concurrent.each(faces)('the Python library passes the kit (%s)', async (face) => {
  expect(findings(await judge(programOf(face), { chosen: checksHere, jobs: 12, again: true }))).toEqual([]);
});

function programOf(face: Face): Command {
  const program = fileURLToPath(new URL('../../clients/python/kit_program.py', import.meta.url));
  return { file: path, args: [program, face] };
}
