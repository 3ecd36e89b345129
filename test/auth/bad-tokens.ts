import type { TokenRefusal } from '../../src/auth/tokens.js';
import {
  audience,
  base64url,
  forge,
  forgeMember,
  forgeText,
  goodClaims,
  goodHeader,
  hmac,
  issuer,
  now,
  respell,
} from './forge.js';

/** The token rows of the bad inputs: each differs from a token that passes by its fault alone. */

const good = forge();
const [head = '', body = '', signature = ''] = good.split('.');
const text = (claims: object) => JSON.stringify(claims);
export const rawPayload = (payload: string | Uint8Array) => forgeText(text(goodHeader), payload);
/** Signs parts as they are spelled, so that only the spelling can be at fault. */
const signed = (h: string, b: string) => `${h}.${b}.${hmac(`${h}.${b}`)}`;
/** Bodies of each length that base64url has: a multiple of four characters, or two or three more. */
const bodies = ['', 'x', 'xx'].map((pad) => base64url(text({ ...goodClaims, pad })));
const bodyOf = (rest: number) => bodies.find((part) => part.length % 4 === rest) ?? '';
const standardClaims = text({ ...goodClaims, pad: '>>>???\u00ff' });

export type Row = readonly [name: string, token: string, reason: TokenRefusal];

export const algorithms: readonly Row[] = [
  ['none', forge({}, { alg: 'none' }), 'bad_algorithm'],
  ['None', forge({}, { alg: 'None' }), 'bad_algorithm'],
  ['none without a signature', `${base64url(text({ alg: 'none' }))}.${body}.`, 'malformed'],
  ['missing', forge({}, { alg: undefined }), 'bad_algorithm'],
  ['an array', forge({}, { alg: ['HS256'] }), 'bad_algorithm'],
  ['null', forge({}, { alg: null }), 'bad_algorithm'],
  ['lower case', forge({}, { alg: 'hs256' }), 'bad_algorithm'],
  ['not listed', forge({}, { alg: 'HS512' }), 'bad_algorithm'],
  ["another key's", forge({}, { alg: 'RS256' }), 'bad_algorithm'],
];

export const headers: readonly Row[] = [
  ['unknown crit', forge({}, { crit: ['x'], x: 1 }), 'bad_header'],
  ['an empty crit', forge({}, { crit: [] }), 'bad_header'],
  ['b64 false', forge({}, { b64: false }), 'bad_header'],
  ['b64 false with crit', forge({}, { b64: false, crit: ['b64'] }), 'bad_header'],
  ['another typ', forge({}, { typ: 'logout+jwt' }), 'bad_header'],
  ['a typ of a ticket', forge({}, { typ: 'soleseat-ticket+jwt' }), 'bad_header'],
  ['a typ that is no string', forge({}, { typ: ['JWT'] }), 'bad_header'],
  ['cty JWT', forge({}, { cty: 'JWT' }), 'bad_header'],
  ['cty jwt', forge({}, { cty: 'jwt' }), 'bad_header'],
  ['a kid that is a path upwards', forge({}, { kid: '../../dev/null' }), 'bad_header'],
  ['a kid that is a path', forge({}, { kid: '/dev/null' }), 'bad_header'],
  ['a kid that is a path on Windows', forge({}, { kid: 'C:\\keys\\a.pem' }), 'bad_header'],
  ['a kid that is the URL of a file', forge({}, { kid: 'file:///etc/passwd' }), 'bad_header'],
  ['a kid with a NUL', forge({}, { kid: 'a\u0000' }), 'bad_header'],
  ['the kid __proto__', forge({}, { kid: '__proto__' }), 'bad_header'],
  ['the kid constructor', forge({}, { kid: 'constructor' }), 'bad_header'],
  ['a kid of null', forge({}, { kid: null }), 'bad_header'],
  ['a kid that is a number', forge({}, { kid: 1 }), 'bad_header'],
  ['a header of null', forgeText('null', text(goodClaims)), 'malformed'],
  ['a header that is an array', forgeText('["HS256"]', text(goodClaims)), 'malformed'],
  ['a header that is not JSON', forgeText('{alg:HS256}', text(goodClaims)), 'malformed'],
];

export const spellings: readonly Row[] = [
  ['nothing at all', '', 'malformed'],
  ['two parts', `${head}.${body}`, 'malformed'],
  ['four parts', `${good}.${signature}`, 'malformed'],
  ['an empty signature', `${head}.${body}.`, 'malformed'],
  ['a leading space', ` ${good}`, 'malformed'],
  ['a trailing newline', `${good}\n`, 'malformed'],
  ['a space within', signed(head, `${body} `), 'malformed'],
  ['padding', `${good}=`, 'malformed'],
  ['padding that is signed', signed(head, `${bodyOf(3)}=`), 'malformed'],
  [
    'standard base64',
    signed(head, Buffer.from(standardClaims).toString('base64').replace(/=/g, '')),
    'malformed',
  ],
  ['a non-canonical signature', `${head}.${body}.${respell(signature)}`, 'malformed'],
  ['a body with spare bits set, of two characters', signed(head, respell(bodyOf(2))), 'malformed'],
  ['a body with spare bits set, of three characters', signed(head, respell(bodyOf(3))), 'malformed'],
  ['a body of a length that base64 cannot have', signed(head, `${bodyOf(0)}A`), 'malformed'],
  [
    'an altered signature',
    `${head}.${body}.${signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
    'bad_signature',
  ],
  ['a short signature', `${head}.${body}.${signature.slice(0, 40)}`, 'bad_signature'],
  [
    'altered claims',
    `${head}.${base64url(text({ ...goodClaims, sub: 'eve' }))}.${signature}`,
    'bad_signature',
  ],
  ['another secret', forge({}, {}, 'another secret of more than 32 bytes'), 'bad_signature'],
  ['over 8 KB', forge({ pad: 'x'.repeat(8000) }), 'too_large'],
  ['a megabyte', forge({ pad: 'x'.repeat(1_000_000) }), 'too_large'],
  ['a payload that is a string', rawPayload('"ada"'), 'malformed'],
  ['a payload of null', rawPayload('null'), 'malformed'],
  ['a payload that is an array', rawPayload('[]'), 'malformed'],
  ['a payload that is not JSON', rawPayload('ada'), 'malformed'],
  ['a payload that is not JSON, without typ', forgeText('{"alg":"HS256"}', 'ada'), 'malformed'],
];

export const claims: readonly Row[] = [
  ['exp in the past', forge({ exp: now - 1 }), 'expired'],
  ['exp now', forge({ exp: now }), 'expired'],
  ['no exp', forge({ exp: undefined }), 'bad_claim'],
  ['exp a string', forge({ exp: String(now + 60) }), 'bad_claim'],
  ['exp null', forge({ exp: null }), 'bad_claim'],
  ['exp 1e400', forgeMember('"exp":1e400', { exp: undefined }), 'bad_claim'],
  ['exp beyond every date', forge({ exp: 1e15 }), 'bad_claim'],
  ['exp negative', forge({ exp: -1 }), 'bad_claim'],
  ['nbf in the future', forge({ nbf: now + 61 }), 'not_yet_valid'],
  ['iat in the future', forge({ iat: now + 61 }), 'not_yet_valid'],
  ['a wrong aud', forge({ aud: 'soleseat-admin' }), 'bad_audience'],
  ['no aud', forge({ aud: undefined }), 'bad_audience'],
  ['an empty list of aud', forge({ aud: [] }), 'bad_audience'],
  ['a list of aud with no string', forge({ aud: [audience, 1] }), 'bad_audience'],
  ['a wrong iss', forge({ iss: `${issuer}/` }), 'bad_issuer'],
  ['no iss', forge({ iss: undefined }), 'bad_issuer'],
  ['a list of iss', forge({ iss: [issuer] }), 'bad_issuer'],
  ['__proto__', forgeMember('"__proto__":{"admin":true}'), 'bad_claim'],
  ['__proto__ in place of sub', forgeMember('"__proto__":{"sub":"ada"}', { sub: undefined }), 'bad_claim'],
  ['an org with an opening brace', forge({ org: 'a{b' }), 'bad_claim'],
  ['an org with a closing brace', forge({ org: 'a}b' }), 'bad_claim'],
  [
    'a sub of bytes that are not UTF-8',
    rawPayload(Buffer.from(text({ ...goodClaims, sub: '\u00ff' }), 'latin1')),
    'bad_claim',
  ],
];

/** What the faults of spelling are made from: these pass. */
export const controls = [
  good,
  ...bodies.map((part) => signed(head, part)),
  signed(head, base64url(standardClaims)),
  forge({ pad: 'x'.repeat(5000) }),
];
