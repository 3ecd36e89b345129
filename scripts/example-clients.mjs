import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareMono } from './mono.mjs';
import { compileQt, prepareQt } from './qt.mjs';
import { root, run } from './steps.mjs';
import { recorded, toolsFolder } from './tools.mjs';

const folder = join(toolsFolder, 'examples');
const WHAT_TO_DO = 'Mend what the compiler names above, then try again.';

/** Compiles the examples that are clients by the contract of the kit. Gives each with the command that starts it. */
export async function exampleClients(steps) {
  await prepareMono(steps);
  await prepareQt(steps);
  return [await csharp(steps), await qt(steps)];
}

async function csharp({ step, upToDate }) {
  const { path, compiler, env } = recorded('mono');
  const source = join(root, 'examples', 'csharp', 'SeatClient.cs');
  const program = join(folder, 'SeatClient.exe');
  const args = [
    '-langversion:7.2',
    '-warn:4',
    '-warnaserror',
    '-define:SEAT_KIT_PROGRAM',
    '-r:System.Net.Http',
  ];
  await onceFor({ source, program, by: compiler }, upToDate, () =>
    step('compiling the example in C#', WHAT_TO_DO, () =>
      run(compiler[0], [...compiler.slice(1), ...args, `-out:${program}`, source], { env }),
    ),
  );
  return { name: 'C# (Mono)', command: [path, program], env };
}

async function qt({ step, upToDate }) {
  const tools = recorded('qt');
  const source = join(root, 'examples', 'qt', 'seat_client.cpp');
  const program = join(folder, 'seat-client');
  await onceFor({ source, program, by: [tools.moc] }, upToDate, () =>
    step('compiling the example in C++', WHAT_TO_DO, () =>
      compileQt(tools, { source, name: 'seat_client', program, work: folder }),
    ),
  );
  return { name: 'C++ (Qt 5)', command: [program], env: tools.env };
}

/** Does nothing where the same source was compiled by the same compiler before. */
async function onceFor({ source, program, by }, upToDate, compile) {
  mkdirSync(folder, { recursive: true });
  const hash = createHash('sha256').update(readFileSync(source)).update(by.join('\n')).digest('hex');
  const stamp = `${program}.sha256`;
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash)
    return upToDate(`${program} is compiled`);
  await compile();
  writeFileSync(stamp, hash);
}
