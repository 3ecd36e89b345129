import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checks } from '../src/kit/checks/table.js';
import { rulesIn } from '../src/kit/rules.js';

const root = resolve(import.meta.dirname, '..');
const page = readFileSync(join(root, 'PROTOCOL.md'), 'utf8');
const rules = rulesIn(page);
const ofTheBroker = [...rules.keys()].filter((tag) => tag.startsWith('broker-'));
const ofClients = [...rules.keys()].filter((tag) => !tag.startsWith('broker-'));
const byTheKit = new Set(checks.flatMap(({ tags }) => tags));

/** Each is a client library, or a client that people copy. */
const libraries = ['packages/client/src', 'clients/java', 'clients/python', 'examples/csharp', 'examples/qt'];
const broker = new Set([
  ...citedIn('src', (file) => !/^src\/(kit|console)\//.test(file)),
  // The broker shares its tables with the client library.
  ...citedIn('packages/client/src/protocol', () => true),
]);
const tests = citedIn('test', (file) => file !== 'test/rules.test.ts');

describe('the rules of PROTOCOL.md', () => {
  it('are told by tags: each MUST has one, and each tag a MUST', () => {
    expect(rules.size).toBeGreaterThan(60);
    expect([...rules].filter(([, sentence]) => !/\b(MUST|may)\b/.test(sentence))).toEqual([]);
    expect(sentencesWithoutTag()).toEqual([]);
  });

  it('stand once each', () => {
    const tags = page.replaceAll(/`\[[^\]]*\]`/g, '').match(/\[[a-z0-9-]+\](?!\()/g) ?? [];
    expect(tags.length).toBe(rules.size);
  });

  it('for clients are those that the kit judges by', () => {
    expect(ofClients.filter((tag) => !byTheKit.has(tag))).toEqual([]);
    expect([...byTheKit].filter((tag) => !ofClients.includes(tag))).toEqual([]);
  });

  it('for the broker are cited where they are kept, and by a test', () => {
    expect(ofTheBroker.filter((tag) => !broker.has(tag))).toEqual([]);
    expect(ofTheBroker.filter((tag) => !tests.has(tag))).toEqual([]);
  });

  it.each(libraries)('for clients are all cited in %s', (folder) => {
    const cited = citedIn(folder, () => true);
    expect(ofClients.filter((tag) => !cited.has(tag))).toEqual([]);
  });

  it('are the only ones that anything cites', () => {
    const cited = [broker, tests, ...libraries.map((folder) => citedIn(folder, () => true))];
    expect(cited.flatMap((tags) => [...tags]).filter((tag) => !rules.has(tag))).toEqual([]);
  });
});

/** Tags in comments: `// [tag]`, `# [tag]`, several in a row, or in a longer comment. */
function citedIn(folder: string, counts: (file: string) => boolean): ReadonlySet<string> {
  if (!existsSync(join(root, folder))) return new Set();
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    .filter((file) => /\.(ts|java|py|mjs|cs|cpp)$/.test(file) && counts(file));
  const comments = files.flatMap(
    (file) => readFileSync(join(root, file), 'utf8').match(/(?:\/\/|\*|#|--) .*\[[a-z0-9-]+\].*$/gm) ?? [],
  );
  const form = /(?<=[ (])\[([a-z]+(?:-[a-z0-9]+)*)\](?=[\s.,:;)]|$)/g;
  const tags = comments.flatMap((line) => [...line.matchAll(form)]);
  return new Set(tags.map((match) => match[1] ?? ''));
}

/** What is left of the page without the sentences that have a tag. */
function sentencesWithoutTag(): string[] {
  const text = page.replaceAll(/^```[\s\S]*?^```|`[^`\n]*`/gm, '').replaceAll(/\s+/g, ' ');
  return text
    .split(/\[[a-z0-9-]+\](?!\()/)
    .flatMap((part, index, parts) => {
      const sentences = part.split(/(?<=[.:])\**\s(?=[-*A-Z|])/);
      return index === parts.length - 1 ? sentences : sentences.slice(0, -1);
    })
    .filter((sentence) => /\bMUST\b/.test(sentence) && !sentence.includes('A sentence that says MUST'));
}
