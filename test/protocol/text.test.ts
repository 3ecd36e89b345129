import { describe, expect, it } from 'vitest';
import {
  isOrgName,
  isPlainText,
  nameFault,
  nameOf,
  textFault,
  withoutForbidden,
} from '../../src/protocol/text.js';

describe('a name', () => {
  it.each([
    ['a blank before', ' ada', 'ada'],
    ['blanks behind', 'ada \u00a0\u3000', 'ada'],
    ['a zero-width blank', '\u200bada\u200b', 'ada'],
    ['a byte order mark', '\ufeffada', 'ada'],
    ['joiners at the ends', '\u200dada\u200c\u2060', 'ada'],
    ['decomposed letters', 'Zu\u0308rich', 'Zürich'],
    ['a blank within', 'Ada Lovelace', 'Ada Lovelace'],
    ['another script', '\u5f20\u4f1f', '\u5f20\u4f1f'],
    ['an emoji', 'ada \u{1f600}', 'ada \u{1f600}'],
  ])('with %s is one', (_, text, kept) => {
    expect([nameOf(text), nameFault(nameOf(text))]).toEqual([kept, null]);
  });

  it.each([
    ['nothing', '', 'is empty'],
    ['blanks alone', '\u200b \ufeff', 'is empty'],
    ['a line end, also at the end', 'ada\n', 'control'],
    ['a tab at the end', 'ada\t', 'control'],
    ['a zero-width blank within', 'a\u200bda', 'U+200B'],
    ['a joiner within', 'a\u200dda', 'U+200D'],
    ['a soft hyphen within', 'a\u00adda', 'U+00AD'],
    ['a filler that is a letter', 'a\u3164da', 'U+3164'],
    ['a mark that joins', 'a\u034fda', 'U+034F'],
    ['a tag', 'a\u{e0041}', 'U+E0041'],
    ['an override', 'a\u202eda', 'direction'],
    ['half a pair', 'a\ud800', 'surrogate'],
    ['what could not be read', 'a\ufffd', 'U+FFFD'],
    ['more than 256 bytes', 'é'.repeat(129), '256 bytes'],
    ['a dot', '.', 'nobody'],
    ['two dots', ' .. ', 'nobody'],
    ['an asterisk', '*', 'nobody'],
  ])('of %s is none, and is told why', (_, text, why) => {
    expect(nameFault(nameOf(text))).toContain(why);
  });

  it('that is far too long costs nothing', () => {
    const long = `a${' '.repeat(1_000_000)}b`;
    const begin = performance.now();
    expect(nameFault(nameOf(long))).toContain('256 bytes');
    // Trimming it would take hours.
    expect(performance.now() - begin).toBeLessThan(60_000);
  });

  it('of an org has no braces', () => {
    expect(['acme', 'a{b', '}', '*'].map(isOrgName)).toEqual([true, false, false, false]);
  });
});

describe('text for other people’s screens', () => {
  const points = (from: number, to = from) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const refused = [
    ...points(0, 0x1f),
    ...points(0x7f, 0x9f),
    0x61c,
    ...points(0x200e, 0x200f),
    ...points(0x2028, 0x202e),
    ...points(0x2066, 0x206f),
    ...points(0xfff9, 0xfffb),
  ];

  it('holds nothing that controls it, turns its direction or ends its line', () => {
    for (const point of refused) {
      const text = `a${String.fromCodePoint(point)}b`;
      expect([text, textFault(text, 256)]).toEqual([text, 'holds control or direction characters']);
      expect([isPlainText(text), nameFault(text)]).toEqual([false, 'holds control or direction characters']);
      expect(withoutForbidden(text)).toBe('a\ufffdb');
    }
  });

  it('may hold all else, also what joins letters', () => {
    for (const text of [
      'Zoë’s laptop',
      'ＰＣ',
      '👩‍💻',
      'می‌خواهم',
      '\u00a0',
      '\u3000',
      '=1+1',
      '\u{e0041}',
      '\u2212',
    ]) {
      expect([text, isPlainText(text), withoutForbidden(text)]).toEqual([text, true, text]);
    }
  });
});
