import { describe, expect, it } from 'vitest';
import { parseClientMessage } from '../../src/protocol/parse.js';

const hello = (machine: object, more: object = {}) => JSON.stringify({ type: 'hello', machine, ...more });
const withId = (id: unknown) => hello({ id });
const sessionId = '01890a5d-ac96-774b-bcce-b302099a8057';

describe('a message', () => {
  it.each([
    ['empty', ''],
    ['not JSON', '{type:hello}'],
    ['cut short', '{"type":"hello"'],
  ])('that is %s is bad_json', (_, text) => {
    expect(parseClientMessage(text)).toMatchObject({ ok: false, violation: { code: 'bad_json' } });
  });

  it.each<readonly [string, string, string]>([
    ['a null', 'null', 'the message'],
    ['an array', '[]', 'the message'],
    ['a string', '"hello"', 'the message'],
    ['without a type', '{}', 'type'],
    ['of a type that is a number', '{"type":1}', 'type'],
    ['without a machine', '{"type":"hello"}', 'machine'],
    ['with a machine that is an array', '{"type":"hello","machine":[]}', 'machine'],
    ['without machine.id', hello({}), 'machine.id'],
    ['with a number as machine.id', withId(1), 'machine.id'],
    ['with an empty machine.id', withId(''), 'machine.id'],
    ['with a machine.id of 129 bytes', withId('x'.repeat(129)), 'machine.id'],
    ['with a machine.id of 129 bytes in 43 characters', withId('€'.repeat(43)), 'machine.id'],
    ['with a NUL in machine.id', withId('a\u0000'), 'machine.id'],
    ['with a newline in machine.id', withId('a\n'), 'machine.id'],
    ['with an ANSI escape in machine.id', withId('\u001b[31m'), 'machine.id'],
    ['with a lone surrogate in machine.id', withId('\ud800'), 'machine.id'],
    ['with a right-to-left override in machine.id', withId('a\u202eb'), 'machine.id'],
    ['with a name of 129 bytes', hello({ id: 'a', name: 'x'.repeat(129) }), 'machine.name'],
    ['with an os of 129 bytes', hello({ id: 'a', os: 'x'.repeat(129) }), 'machine.os'],
    ['with a machine that is null', '{"type":"hello","machine":null}', 'machine is missing'],
    ['with a machine.id that is null', withId(null), 'machine.id'],
    ['with a name that is a number', hello({ id: 'a', name: 7 }), 'machine.name'],
    ['with a client that is text', hello({ id: 'a' }, { client: 'app' }), 'client'],
    [
      'with a version of 129 bytes',
      hello({ id: 'a' }, { client: { version: 'x'.repeat(129) } }),
      'client.version',
    ],
    ['with an instance of 129 bytes', hello({ id: 'a' }, { instance: 'x'.repeat(129) }), 'instance'],
    ['with an instance that is a number', hello({ id: 'a' }, { instance: 1 }), 'instance'],
    ['with an attempt below 0', hello({ id: 'a' }, { attempt: -1 }), 'attempt'],
    ['with an attempt of 1.5', hello({ id: 'a' }, { attempt: 1.5 }), 'attempt'],
    ['with an attempt of 2^53', hello({ id: 'a' }, { attempt: 2 ** 53 }), 'attempt'],
    ['with an attempt that is text', hello({ id: 'a' }, { attempt: '3' }), 'attempt'],
    ['with an onConflict that is a number', hello({ id: 'a' }, { onConflict: 1 }), 'onConflict'],
    ['with a resume that is an array', hello({ id: 'a' }, { resume: [] }), 'resume'],
    [
      'with a sessionId that is a number',
      hello({ id: 'a' }, { resume: { sessionId: 1 } }),
      'resume.sessionId',
    ],
    [
      'with a sessionId that is null',
      hello({ id: 'a' }, { resume: { sessionId: null } }),
      'resume.sessionId',
    ],
    ['with a token in hello that is a number', hello({ id: 'a' }, { token: 1 }), 'token'],
    ['with a token to refresh that is null', '{"type":"refresh","token":null}', 'token'],
    ['with a token that is a number', '{"type":"refresh","token":1}', 'token'],
    ['with a yield that is a string', '{"type":"answer","yield":"yes"}', 'yield'],
    ['with __proto__', '{"type":"release","__proto__":{}}', 'not allowed'],
    ['with constructor', '{"type":"hello","machine":{"constructor":{}}}', 'not allowed'],
    ['nested deeper than 16', `{"type":"release","x":${'['.repeat(17)}${']'.repeat(17)}}`, 'nested'],
  ])('%s is bad_message and names the field', (_, text, field) => {
    const parsed = parseClientMessage(text);
    expect(parsed).toMatchObject({ ok: false, violation: { code: 'bad_message' } });
    expect(parsed.ok ? '' : parsed.violation.message).toContain(field);
  });

  it.each([
    ['the message', '{"type":"steal"}', null],
    ['a type that every object has', '{"type":"toString"}', null],
    ['an onConflict', hello({ id: 'a' }, { onConflict: 'fight' }), 'hello'],
  ])('with %s that only a later version understands is unsupported', (_, text, about) => {
    const parsed = parseClientMessage(text);
    expect(parsed).toMatchObject({ ok: false, violation: { code: 'unsupported' } });
    if (about !== null) expect(parsed).toMatchObject({ about });
  });

  it.each<readonly [string, string, string | null]>([
    ['is not JSON', '{', null],
    ['has no type', '{}', null],
    ['is a bad hello', '{"type":"hello"}', 'hello'],
    ['is a bad answer', '{"type":"answer"}', 'answer'],
  ])('that %s says what it would have been', (_, text, about) => {
    expect(parseClientMessage(text)).toMatchObject({ ok: false, about });
  });

  const machine = { id: 'a' };
  const plain = { type: 'hello', machine };
  const longToken = 'x'.repeat(8193);
  it.each<readonly [string, string, object]>([
    [
      'fields that are not known',
      hello({ id: 'a', root: [1] }, { admin: { deep: 1 }, hue: true, shadeMs: 5 }),
      plain,
    ],
    ['fields of a later version', hello(machine, { aspect: 'n', hue: 't' }), plain],
    ['a nonce of another length', hello(machine, { nonce: 'n' }), plain],
    ['a nonce that cannot be shown', hello(machine, { nonce: '\u0000'.repeat(16) }), plain],
    ['a field of a takeover that is not known', '{"type":"takeover","aside":true}', { type: 'takeover' }],
    ['a field of a release that is not known', '{"type":"release","why":"done"}', { type: 'release' }],
    [
      'null in each place that may be left out',
      hello(
        { id: 'a', name: null, os: null, kind: null },
        { instance: null, attempt: null, onConflict: null, resume: null, client: null, token: null },
      ),
      plain,
    ],
    ['null for needMs', '{"type":"answer","yield":true,"needMs":null}', { type: 'answer', yield: true }],
    [
      'null in client',
      hello(machine, { client: { name: null, version: '2' } }),
      { ...plain, client: { version: '2' } },
    ],
    ['a kind that is not known', hello({ id: 'a', kind: 'toaster' }), plain],
    ['a kind that is a number', hello({ id: 'a', kind: 7 }), plain],
    ['names that are empty', hello({ id: 'a', name: '', os: '' }, { instance: '' }), plain],
    ['a name with a control character', hello({ id: 'a', name: 'x\u202ey' }), plain],
    [
      'a version with a control character',
      hello(machine, { client: { name: 'app', version: '1\n' } }),
      { ...plain, client: { name: 'app' } },
    ],
    ['a resume of another form', hello(machine, { resume: { sessionId: '../x', epoch: 1 } }), plain],
    [
      'a token of more than 8,192 bytes',
      hello(machine, { token: longToken }),
      { ...plain, token: longToken },
    ],
    ['a token that is empty', hello(machine, { token: '' }), { ...plain, token: '' }],
    [
      'instance and attempt',
      hello(machine, { instance: 'i-1', attempt: 0 }),
      { ...plain, instance: 'i-1', attempt: 0 },
    ],
  ])('with %s is read', (_, text, message) => {
    expect(parseClientMessage(text)).toEqual({ ok: true, message });
  });

  it.each<readonly [string, unknown, number]>([
    ['digits', '1732523000001000', 1732523000001000],
    ['a fraction', 1.5, 0],
    ['negative', -1, 0],
    ['2^53', 2 ** 53, 0],
    ['digits beyond 2^53', '9999999999999999', 0],
    ['other text', '0x10', 0],
    ['left out', undefined, 0],
    ['null', null, 0],
    ['an object', {}, 0],
  ])('with an epoch that is %s is read: it decides nothing', (_, epoch, read) => {
    const parsed = parseClientMessage(hello({ id: 'a' }, { resume: { sessionId, epoch } }));
    expect(parsed).toMatchObject({ ok: true, message: { resume: { sessionId, epoch: read } } });
  });

  it('with everything in it is read', () => {
    const message = {
      type: 'hello',
      machine: { id: '€'.repeat(42), name: 'Zoë’s laptop 💻', os: 'Linux', kind: 'virtual' },
      onConflict: 'deny',
      resume: { sessionId, epoch: 2 ** 53 - 1 },
      client: { name: 'app', version: '1' },
      token: 'a.b.c',
    };
    expect(parseClientMessage(JSON.stringify(message))).toEqual({ ok: true, message });
  });
});
