import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { claimPresets } from '../../src/auth/claim-mapping.js';
import { keyRingFromSecret } from '../../src/auth/read-keys.js';
import { createTokenVerifier } from '../../src/auth/tokens.js';

// A busy machine needs a while to compile a program of Java before it runs it.
vi.setConfig({ testTimeout: 180_000 });

const page = readFileSync('docs/identity.md', 'utf8');
const secret = 'a secret of more than thirty-two bytes';
const folder = mkdtempSync(join(process.cwd(), 'node_modules', '.recipes-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the recipe of a back end of one’s own (docs/identity.md)', () => {
  it.each([
    ['js', 'node', 'mint.mjs'],
    ['python', 'python3', 'mint.py'],
    ['java', 'java', 'Mint.java'],
  ])('in %s signs tokens that the broker accepts', (language, command, name) => {
    const [, program] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
    const file = join(folder, name);
    writeFileSync(file, program ?? '');
    const env = { ...process.env, SOLESEAT_JWT_SECRET: secret };
    const token = execFileSync(command, [file, 'ada'], { env, encoding: 'utf8' }).trim();
    const rules = { keys: keyRingFromSecret(secret), issuer: 'soleseat', audience: 'soleseat' };
    expect(createTokenVerifier(rules).verify(token)).toMatchObject({
      ok: true,
      claims: { user: 'ada', org: 'acme' },
    });
  });
});

it('the table of presets on that page is that of the code', () => {
  for (const [preset, { user, org, name }] of Object.entries(claimPresets)) {
    const users = user.map((claim) => `\`${claim}\``).join(', else ');
    const row = `| ${users} | ${org === null ? 'none' : `\`${org}\``} | \`${name}\` |`;
    expect(page).toMatch(new RegExp(`\\| \`${preset}\`( \\(default\\))? ${row.replace(/[|]/g, '\\|')}`));
  }
});
