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
    ['of an unknown type', '{"type":"toString"}', 'type'],
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
    ['with an unknown kind', hello({ id: 'a', kind: 'toaster' }), 'machine.kind'],
    ['with an unknown onConflict', hello({ id: 'a' }, { onConflict: 'fight' }), 'onConflict'],
    ['with an unknown field', hello({ id: 'a' }, { admin: true }), 'hello has a field'],
    ['with an unknown field in machine', hello({ id: 'a', root: true }), 'machine has a field'],
    [
      'with a sessionId of another form',
      hello({ id: 'a' }, { resume: { sessionId: '../x', epoch: 1 } }),
      'resume.sessionId',
    ],
    ['with an epoch below 0', hello({ id: 'a' }, { resume: { sessionId, epoch: -1 } }), 'resume.epoch'],
    ['with an epoch of 2^53', hello({ id: 'a' }, { resume: { sessionId, epoch: 2 ** 53 } }), 'resume.epoch'],
    ['with an epoch of 1.5', hello({ id: 'a' }, { resume: { sessionId, epoch: 1.5 } }), 'resume.epoch'],
    ['with a token that is a number', '{"type":"refresh","token":1}', 'token'],
    ['with a token over 8 KB', JSON.stringify({ type: 'refresh', token: 'x'.repeat(8193) }), 'token'],
    ['with a yield that is a string', '{"type":"answer","yield":"yes"}', 'yield'],
    ['with __proto__', '{"type":"release","__proto__":{}}', 'not allowed'],
    ['with constructor', '{"type":"hello","machine":{"constructor":{}}}', 'not allowed'],
    ['nested deeper than 16', `{"type":"release","x":${'['.repeat(17)}${']'.repeat(17)}}`, 'nested'],
  ])('%s is bad_message and names the field', (_, text, field) => {
    const parsed = parseClientMessage(text);
    expect(parsed).toMatchObject({ ok: false, violation: { code: 'bad_message' } });
    expect(parsed.ok ? '' : parsed.violation.message).toContain(field);
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
