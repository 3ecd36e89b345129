import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SHOWN_LINES = 40;

// Not import.meta.dirname: an older Node must still get as far as being told that it is too old.
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Numbers and times what is done. `quiet` shows only what takes a while or fails. */
export function createSteps({ quiet = false } = {}) {
  let number = 0;
  const say = (line) => process.stderr.write(`${line}\n`);
  return {
    upToDate(what) {
      number += 1;
      if (!quiet) say(`${number}. ${what}`);
    },
    async step(title, whatToDo, action) {
      number += 1;
      const started = performance.now();
      say(`${number}. ${title} …`);
      try {
        const result = await action((line) => say(`   ${line.split('\n')[0]}`));
        say(`   ${seconds(started)}`);
        return result;
      } catch (error) {
        throw new Error(
          `Step ${number} failed after ${seconds(started)}: ${title}\n${error.message}\n→ ${whatToDo}`,
        );
      }
    },
  };
}

export function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/** Runs a program to its end, silently; a failure carries the last lines that it printed. */
export function run(command, args, { env, cwd = root, show = false, shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = show ? 'inherit' : ['ignore', 'pipe', 'pipe'];
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio, shell });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', (error) => reject(new Error(`${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const lines = output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
      reject(
        new Error(`${lines}\n(${[command, ...args].join(' ')} ended with ${signal ?? code})`.trimStart()),
      );
    });
  });
}

/** npm as a command: the very npm that runs us, if one does. */
export function npm(args, options) {
  const own = process.env.npm_execpath;
  if (own?.endsWith('npm-cli.js') && existsSync(own)) return run(process.execPath, [own, ...args], options);
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
}

/** Hands the terminal over to a command of the build, and ends as it ends. */
export function becomeCommand(args) {
  const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
    stdio: 'inherit',
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGINT', () => {
    // A terminal sends Ctrl+C to the child as well, and a second one would cut its drain short.
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  child.on('error', fail);
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
  });
}

export function fail(error) {
  process.stderr.write(`\n${error.message}\n`);
  process.exitCode = 1;
}
