import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const log = pathToFileURL(join(import.meta.dirname, '../../dist/base/log.js'));

/** A process of its own with a log, so that the test sees what reaches standard error, and when. */
const program = (body: string) => [
  '--input-type=module',
  '--eval',
  `import { createLog } from ${JSON.stringify(String(log))};\nconst log = createLog('info', 'n');\n${body}`,
];

function messages(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
}

it('a process that ends has written every line, in order, also when an exception ends it', async () => {
  const ended = await promisify(execFile)(process.execPath, program("log.info('one'); log.info('two');"));
  expect(messages(ended.stderr)).toEqual(['one', 'two']);
  const crashed = promisify(execFile)(process.execPath, program("log.info('one'); throw new Error('bang');"));
  const { stderr } = await crashed.then(
    () => ({ stderr: '' }),
    (error: { stderr: string }) => error,
  );
  expect(messages(stderr)).toEqual(['one']);
});

it('a warning is written at once, after the lines before it', async () => {
  // SIGKILL leaves no time to write anything later.
  const killed =
    "log.info('before'); log.warn('warning'); log.info('after'); process.kill(process.pid, 'SIGKILL');";
  const { stderr } = await promisify(execFile)(process.execPath, program(killed)).then(
    () => ({ stderr: '' }),
    (error: { stderr: string }) => error,
  );
  expect(messages(stderr)).toEqual(['before', 'warning']);
});

it('an information line is written by a process that goes on', async () => {
  const child = spawn(process.execPath, program("log.info('alone'); setInterval(() => {}, 1000);"), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [chunk] = (await once(child.stderr, 'data')) as [Buffer];
  child.kill('SIGKILL');
  expect(messages(String(chunk))).toEqual(['alone']);
});

it('secrets are not in the log, at the top or one level down', async () => {
  const told =
    "log.info({ token: 'A', org: 'o', hello: { secret: 'B', kind: 'k', authorization: 'C' } }, 'm');";
  const { stderr } = await promisify(execFile)(process.execPath, program(told));
  expect(JSON.parse(stderr)).toMatchObject({
    token: '[redacted]',
    org: 'o',
    hello: { secret: '[redacted]', kind: 'k', authorization: '[redacted]' },
  });
});
