import fc from 'fast-check';

/** Text that has made trouble somewhere before. */
const oddTexts = [
  ...[
    '',
    ' ',
    '\u0000',
    '\r\n',
    '\t',
    '\u001b[2J',
    '\u202e',
    '\u061c',
    '\u2028',
    '\ufeff',
    '\u200d',
    '\ufffd',
    '\ufffe',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '.',
    '..',
    '*',
    '../../x',
    '%00',
    '%',
    '%zz',
    '{a}',
    '}',
    ':',
  ],
  ...[
    "'",
    '"',
    '\\',
    '`',
    '$&',
    '$1',
    '<script>',
    "' or 1=1",
    '=1+1',
    ';',
    ',',
    'NaN',
    'null',
    'undefined',
    '-1',
    '1e400',
  ],
  ...[
    '\u{1f469}\u200d\u{1f4bb}',
    'e\u0301',
    '\u00e9',
    '\u0130',
    '\u1e9e',
    '\ufb01',
    '\u{10ffff}',
    'a'.repeat(129),
    '\u20ac'.repeat(86),
  ],
  ...[
    'x'.repeat(257),
    'x'.repeat(5000),
    '0'.repeat(400),
    'soleseat:{a}:lease:b',
    '[object Object]',
    '2027-01-31',
    '31337',
  ],
];

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 2, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.uuid() },
);

/** A number as JSON may spell it, which JavaScript may not be able to hold. */
const numberText = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '-1',
    '1',
    '1.5',
    '1e400',
    '-1e400',
    '1e-400',
    '9007199254740993',
    '18446744073709551616',
  ),
  fc.constantFrom(
    '1'.repeat(400),
    '0.1e1',
    '1E5',
    '2147483648',
    '4294967296',
    '1e21',
    '00',
    '.5',
    '1.',
    '+1',
    '0x10',
  ),
  fc.integer().map(String),
);

/** Deeper than anybody means. */
const nestedText = fc
  .tuple(fc.integer({ min: 1, max: 3000 }), fc.constantFrom('[', '{"a":'), fc.boolean())
  .map(([depth, open, isClosed]) => {
    const close = open === '[' ? ']' : '}';
    return `${open.repeat(depth)}${open === '[' ? '' : '1'}${isClosed ? close.repeat(depth) : ''}`;
  });

/** Text of a JSON value, and of what is nearly one. */
export const valueText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: text.map((one) => JSON.stringify(one)) },
  { weight: 3, arbitrary: numberText },
  {
    weight: 2,
    arbitrary: fc.constantFrom('null', 'true', 'false', '{}', '[]', '[[]]', '""', '"\\ud800"', '"\\u0000"'),
  },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((one) => JSON.stringify(one)) },
  { weight: 1, arbitrary: nestedText },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'NaN',
      'undefined',
      "'a'",
      '"a',
      '{"a":1,}',
      '[1,]',
      '/**/1',
      '"\t"',
      '{a:1}',
      '\ufeff1',
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2000 }).map((n) => `[${'0,'.repeat(n)}0]`) },
);

export type Fields = Readonly<Record<string, fc.Arbitrary<string>>>;

/**
 * Text of an object: of each field its good value, an odd one, or none; some fields twice, some that nobody knows, and sometimes the
 * whole is cut off or has something behind it.
 */
export function objectText(fields: Fields): fc.Arbitrary<string> {
  const known = Object.entries(fields).map(([name, good]) =>
    fc
      .oneof(
        { weight: 7, arbitrary: good },
        { weight: 2, arbitrary: valueText },
        { weight: 1, arbitrary: fc.constant(null) },
      )
      .map((value) => (value === null ? [] : [[name, value] as const])),
  );
  const name = fc.oneof(text, fc.constantFrom(...Object.keys(fields), '__proto__', 'constructor', 'type'));
  const more = fc.array(fc.tuple(name, valueText), { maxLength: 1 });
  return fc
    .tuple(
      fc.tuple(...known),
      fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: more }),
      ending,
    )
    .map(([own, extra, end]) =>
      end(
        `{${[...own.flat(), ...extra].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`,
      ),
    );
}

const ending: fc.Arbitrary<(text: string) => string> = fc.oneof(
  { weight: 12, arbitrary: fc.constant((whole: string) => whole) },
  { weight: 1, arbitrary: fc.nat(60).map((end) => (whole: string) => whole.slice(0, end)) },
  { weight: 1, arbitrary: text.map((behind) => (whole: string) => whole + behind) },
  { weight: 1, arbitrary: text.map((before) => (whole: string) => before + whole) },
);

/** Bytes in pieces, as a network hands them over. */
export function inPieces(bytes: Buffer): fc.Arbitrary<Buffer[]> {
  return fc.array(fc.nat(Math.max(1, bytes.length)), { maxLength: 2 }).map((cuts) => {
    const ends = [...cuts.sort((a, b) => a - b), bytes.length];
    return ends
      .map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
      .filter(({ length }) => length > 0);
  });
}
