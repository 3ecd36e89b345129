import { describe, expect, it } from 'vitest';
import { ended, startCommand } from '../support/command.js';
import { SECRET } from '../support/node.js';

function mint(...args: string[]) {
  return ended(startCommand(['token', 'mint', ...args], { SOLESEAT_JWT_SECRET: SECRET }));
}

describe('token mint', () => {
  it.each([
    ['an empty org', ['--org', '', '--user', 'ada']],
    ['an empty user', ['--org', 'acme', '--user', '']],
    ['an org with a brace', ['--org', 'a}b', '--user', 'ada']],
    ['an admin token for an org with a brace', ['--org', 'a}b', '--admin']],
    ['an admin token of nobody', ['--org', 'acme', '--admin', '--user', '']],
    ['a name with a line end', ['--org', 'acme', '--user', 'ada', '--name', 'a\nb']],
    ['no user', ['--org', 'acme']],
  ])('signs nothing for %s, and ends with 2', async (_, args) => {
    const { code, out, err } = await mint(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^(the broker would refuse this token|a client token needs --user)/);
  });

  it.each([
    ['a user', ['--org', 'acme', '--user', 'ada', '--name', 'Ada']],
    ['an admin of all orgs', ['--org', '*', '--admin', '--role', 'admin']],
  ])('signs a token for %s', async (_, args) => {
    expect(await mint(...args)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^[\w-]+(\.[\w-]+){2}\n$/),
    });
  });
});
