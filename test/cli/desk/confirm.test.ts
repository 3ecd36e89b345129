import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm } from '../../../src/cli/desk/confirm.js';

/** Somebody at a terminal who types that at the question, as soon as it stands. */
async function typing(text: string | null): Promise<string> {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  output.once('data', () => (text === null ? input.end() : input.write(text)));
  return confirm('Sure?', { input, output }).then(
    () => 'yes',
    ({ exitCode, message }) => `${exitCode} ${message}`,
  );
}

describe('a question before what cannot be undone', () => {
  it.each([
    ['y', 'y\r', 'yes'],
    ['Yes', 'Yes\r', 'yes'],
    ['n', 'n\r', '77 nothing was changed'],
    ['nothing', '\r', '77 nothing was changed'],
    ['Ctrl+C', '\u0003', '130 nothing was changed'],
    ['Ctrl+D', '\u0004', '130 nothing was changed'],
    ['no more, as the terminal has gone', null, '130 nothing was changed'],
  ])('takes %s for what it is', async (_, text, expected) => {
    expect(await typing(text)).toBe(expected);
  });

  it('is not put where nobody can be asked', async () => {
    const streams = { input: new PassThrough(), output: new PassThrough() };
    await expect(confirm('Sure?', streams)).rejects.toMatchObject({ exitCode: 2 });
  });
});
