import { describe, expect, it } from 'vitest';
import { isOrgName, nameFault, nameOf } from '../../src/protocol/text.js';

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
