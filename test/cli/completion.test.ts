import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended, startCommand } from '../support/command.js';

const folder = mkdtempSync(join(tmpdir(), 'soleseat-completion-'));
const shells = JSON.parse(readFileSync('.soleseat/shells.json', 'utf8')) as { fish: string; zsh: string };
const scriptFile = (shell: string) => join(folder, `.${shell}-script`);

beforeAll(async () => {
  writeFileSync(join(folder, 'staff list.csv'), '');
  mkdirSync(join(folder, 'stuff'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out } = await ended(startCommand(['completion', shell], {}));
    writeFileSync(scriptFile(shell), out);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the shell offers behind these words, of which the last is what has been typed of the next one. */
const offered = {
  bash: (words: readonly string[]) =>
    printed('bash', ['--norc', '-c', `source "$0"; ${cursorAfter}`, scriptFile('bash'), ...words]),
  // zsh itself leaves out what does not begin so: it asks with the word that stands there.
  zsh: (words: readonly string[]) =>
    printed(shells.zsh, [
      '-f',
      '-c',
      `compdef() { :; }; source "$0" 2>/dev/null; setopt KSH_ARRAYS SH_WORD_SPLIT; ${cursorAfter}`,
      scriptFile('zsh'),
      ...words,
    ]).filter((one) => one.startsWith(words.at(-1) ?? '')),
  fish: (words: readonly string[]) => {
    const line = ['soleseat', ...words].join(' ');
    const out = printed(shells.fish, [
      '-N',
      '-c',
      `source $argv[1]; complete -C $argv[2]`,
      scriptFile('fish'),
      line,
    ]);
    return out.map((one) => one.split('\t')[0] ?? '');
  },
};
const cursorAfter = `COMP_WORDS=(soleseat "$@"); COMP_CWORD=$#; _soleseat; printf "%s\\n" "\${COMPREPLY[@]}"`;

function printed(program: string, args: readonly string[]): string[] {
  const home = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, LC_ALL: 'C.UTF-8' };
  const out = execFileSync(program, [...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...home },
  });
  return out.split('\n').filter((line) => line !== '');
}

describe.each(['bash', 'zsh', 'fish'] as const)('completion in %s', (shell) => {
  const offers = (...words: string[]) => offered[shell](words);

  it('offers commands, and what begins so', () => {
    expect(offers('')).toEqual(expect.arrayContaining(['license', 'org', 'serve', 'completion']));
    expect(offers('license', 're').sort()).toEqual(['recount', 'reinstate', 'revoke']);
  });

  it('offers options of the command, also behind another option with its value', () => {
    expect(offers('license', 'list', '--st')).toEqual(['--status']);
    expect(offers('license', '--org', 'list', 'list', '--st')).toEqual(['--status']);
    expect(offers('license', 'issue', 'ada', '--exp')).toEqual(['--expires']);
  });

  it.each([
    ['license list --status', ['active', 'expired', 'revoked', 'suspended']],
    ['token mint --role', ['admin', 'operator', 'owner', 'viewer']],
    ['org set --mode', ['auto', 'default', 'open', 'required']],
    ['org set --quota', ['none']],
    ['usage --by', ['day', 'hour']],
    ['completion', ['bash', 'fish', 'zsh']],
    ['license expire ada', ['never', 'now']],
  ])('offers the values behind %s', (line, values) => {
    expect(offers(...line.split(' '), '').sort()).toEqual(values);
  });

  it('offers types of events, reasons and time zones by their beginning', () => {
    expect(offers('events', 'tail', '--type', 'org.c')).toContain('org.changed');
    expect(offers('events', 'export', '--reason', 'tak')).toEqual(['taken_over']);
    expect(offers('org', 'set', '--time-zone', 'Europe/Berl')).toEqual(['Europe/Berlin']);
  });

  it.each(['license import', 'serve --config', 'config check --config'])('offers files behind %s', (line) => {
    const found = offers(...line.split(' '), 'st').map((one) => one.replaceAll('\\', '').replace(/\/$/, ''));
    expect(found.sort()).toEqual(['staff list.csv', 'stuff']);
  });

  it('offers nothing where a name is to be typed', () => {
    expect(offers('license', 'show', '').filter((one) => !one.startsWith('-'))).toEqual([]);
    expect(offers('license', 'issue', 'ada', '--note', '')).toEqual([]);
  });
});
