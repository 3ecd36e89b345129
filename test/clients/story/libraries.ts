import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programOf } from '../../kit/judge.js';
import { buildJava } from '../../support/java-library.js';
import { type Face, pythonWithLibrary } from '../../support/python-seat.js';
import type { SeatCommand } from './seat-program.js';

/** The kit program of each client library, by the name of its user in the story. */
export const libraries = {
  typescript: async () => programOf('typescript-program.mjs'),
  java: async (): Promise<SeatCommand> => {
    const { java, jar, testClasses } = await buildJava();
    // A small heap and one compiler: the machine is shared.
    const args = ['-Xmx64m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
    return { file: java, args: [...args, '-cp', [jar, testClasses].join(delimiter), 'KitClient'] };
  },
  'python-asyncio': async () => pythonProgram('asyncio'),
  'python-threads': async () => pythonProgram('blocking'),
} as const satisfies Readonly<Record<string, () => Promise<SeatCommand>>>;

export type LibraryName = keyof typeof libraries;

function pythonProgram(face: Face): SeatCommand {
  const { path, env } = pythonWithLibrary();
  const program = fileURLToPath(new URL('../../../clients/python/kit_program.py', import.meta.url));
  return { file: path, args: [program, face], environment: env };
}
