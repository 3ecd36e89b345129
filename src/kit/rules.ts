import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const protocolFile = fileURLToPath(new URL('../../PROTOCOL.md', import.meta.url));
/** `[reconnect-deny]`, which is no link. */
const tagForm = /\[([a-z0-9]+(?:-[a-z0-9]+)*)\](?!\()/g;

/** Each rule of PROTOCOL.md by its tag, as a sentence. Empty where the page does not come with the program. */
export function protocolRules(): ReadonlyMap<string, string> {
  try {
    return rulesIn(readFileSync(protocolFile, 'utf8'));
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ENOENT') throw fault;
    return new Map();
  }
}

/** The tag stands at the end of its sentence, before the full stop. */
export function rulesIn(page: string): ReadonlyMap<string, string> {
  const rules = new Map<string, string>();
  for (const block of blocksOf(page)) {
    let from = 0;
    for (const match of block.matchAll(tagForm)) {
      rules.set(match[1] ?? '', sentenceBefore(block.slice(from, match.index)));
      from = match.index + match[0].length;
    }
  }
  return rules;
}

/** Paragraphs, list items and table rows, each on one line; no code. */
function blocksOf(page: string): string[] {
  return page
    .replaceAll(/^```[\s\S]*?^```|`\[[^\]]*\]`/gm, '')
    .split(/\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.) )|\n(?=\|)/)
    .map((block) => block.replaceAll(/\s+/g, ' ').trim());
}

function sentenceBefore(text: string): string {
  const [last = ''] = text.split(/(?<=[.:;]\**) (?=[*_`A-Z])/).slice(-1);
  const plain = last.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1').replaceAll(/\*\*|`/g, '');
  return `${plain
    .replace(/^[-*|\d.\s]+/, '')
    .replace(/^[.\s]+/, '')
    .trim()}.`;
}
