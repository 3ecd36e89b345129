import fc from 'fast-check';
import type { FuzzCase } from './case.js';
import { handshake } from './frames.js';
import { inPieces, objectText, text, valueText } from './odd.js';

/** An operation of the admin API, as the OpenAPI document has it. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  /** Names of the fields of a JSON body; null: none. */
  readonly body: readonly string[] | null;
  readonly contentType: string;
}

export interface HttpParts {
  readonly operations: readonly Operation[];
  readonly adminTokens: readonly string[];
  readonly tokens: readonly string[];
  /** The orgs that may be spoilt. */
  readonly orgs: readonly string[];
}

const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('TRACE', 'CONNECT', 'PROPFIND', 'get', '', 'G E T', 'PRI', 'GET\u0000'),
  },
);
const version = fc.oneof(
  { weight: 9, arbitrary: fc.constant('HTTP/1.1') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'HTTP/1.10', 'http/1.1', '', 'HTTP/1.1 '),
  },
);
const lineEnd = fc.oneof(
  { weight: 12, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n') },
);

/** Header lines that mean something to somebody between here and there. */
const header: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('Host: a', 'Host: [', 'Host:', 'Host: a/b', 'Host: evil.example', 'host: 127.0.0.1:1'),
  fc.constantFrom(
    'Content-Length: 0',
    'Content-Length: 5',
    'Content-Length: -1',
    'Content-Length: 5, 5',
    'Content-Length: 99999999999999999999',
    'Content-Length: +5',
    'Content-Length : 5',
  ),
  fc.constantFrom(
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding:\tchunked',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding : chunked',
  ),
  fc.constantFrom(
    'Connection: close',
    'Connection: keep-alive, Upgrade',
    'Connection: Upgrade',
    'Upgrade: h2c',
    'Upgrade: websocket',
    'HTTP2-Settings: AAMAAABk',
    'Expect: 100-continue',
    'Expect: 200-ok',
    'TE: trailers',
    'Trailer: Host',
  ),
  fc.constantFrom(
    'Content-Type: application/json',
    'Content-Type: text/csv',
    'Content-Type: multipart/form-data; boundary=a',
    'Content-Type: ;',
    'Content-Encoding: gzip',
    'Content-Encoding: identity',
    'Accept: text/csv',
    'Accept-Encoding: gzip;q=0',
    'Range: bytes=0-1,2-3',
  ),
  fc.constantFrom(
    'X-Forwarded-For: [',
    'X-Forwarded-For: 1.2.3.4, , ,',
    'Forwarded: for="[',
    'X-Real-IP: a',
    'Via: 1.1 a',
    'Origin: null',
    'Origin: http://[',
    'Sec-Fetch-Site: cross-site',
    'Sec-Fetch-Site: same-origin',
  ),
  fc.constantFrom(
    'Cookie: soleseat_admin=a.b.c',
    'Cookie: soleseat_admin=%',
    'Cookie: =;;=',
    'Authorization: Bearer',
    'Authorization: Bearer a b',
    'Authorization: Basic %',
    'Last-Event-ID: 0-0',
    'Last-Event-ID: x',
    'Last-Event-ID: 99999999999999999999-1',
  ),
  fc.constantFrom(
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: x',
    'Sec-WebSocket-Protocol: soleseat.v1, soleseat.token.a',
    'Sec-WebSocket-Extensions: permessage-deflate',
    ' folded',
    '\tfolded',
    ': x',
    'a',
    'a b: c',
  ),
  fc.tuple(text, text).map(([name, value]) => `${name}: ${value}`),
  text.map((value) => `X: ${value}`),
  fc.integer({ min: 50, max: 2100 }).map((n) => Array.from({ length: n }, (_, i) => `x${i}: 1`).join('\r\n')),
);

const escaped = text.map((one) => {
  try {
    return encodeURIComponent(one);
  } catch {
    return '%';
  }
});
const segment = fc.oneof({ weight: 3, arbitrary: escaped }, { weight: 1, arbitrary: text });
const target = fc.oneof(
  fc.constantFrom(
    '/',
    '/livez',
    '/readyz',
    '/metrics',
    '/v1/session',
    '/v1/connect',
    '/console/',
    '/console/index.html',
    '/console',
    '/v1/openapi.json',
  ),
  fc.constantFrom(
    '*',
    '//',
    '/../..',
    '/console/..%2f..%2fetc/passwd',
    'http://[',
    'http://a/livez',
    '/livez#a',
    '/%',
    '/console/%ff',
    '/v1/connect?v=1.2.3',
    '/v1/session?token=x',
    '?',
    '',
  ),
  segment.map((one) => `/v1/admin/orgs/${one}`),
  segment.map((one) => `/console/${one}`),
  segment.map((one) => `/${one}`),
  text,
);

/** Chunks that are none, or not as long as they say. */
const chunked = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 20 }).map((one) => `${Buffer.byteLength(one).toString(16)}\r\n${one}\r\n`),
      fc.constantFrom(
        '0\r\n\r\n',
        '5\r\nabc\r\n',
        '-1\r\n\r\n',
        'ffffffffffffffff\r\n',
        '5;x="\r\nabcde\r\n',
        'g\r\n',
        '0\r\nHost: b\r\n\r\n',
        '\r\n',
        '00000005\r\nabcde\r\n',
        '5\nabcde\n',
      ),
    ),
    { maxLength: 4 },
  )
  .map((chunks) => chunks.join(''));

interface Request {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly end: string;
}

function bytesOf({ line, headers, body, end }: Request): Buffer {
  return Buffer.concat([Buffer.from([line, ...headers, '', ''].join(end), 'latin1'), Buffer.from(body)]);
}

/** A request that may be anything. */
function anyRequest({ adminTokens, tokens }: HttpParts): fc.Arbitrary<Buffer> {
  const bearer = fc.option(
    fc.constantFrom(...adminTokens, ...tokens).map((token) => `Authorization: Bearer ${token}`),
  );
  return fc
    .record({
      line: fc.tuple(method, target, version).map((parts) => parts.join(' ')),
      host: fc.oneof(
        { weight: 8, arbitrary: fc.constant('Host: localhost') },
        { weight: 1, arbitrary: header },
      ),
      bearer,
      headers: fc.array(header, { maxLength: 4 }),
      body: fc.oneof(fc.constant(''), chunked, text, valueText),
      end: lineEnd,
    })
    .map(({ line, host, bearer: authorization, headers, body, end }) =>
      bytesOf({
        line,
        headers: [host, ...(authorization === null ? [] : [authorization]), ...headers],
        body,
        end,
      }),
    );
}

/** Two requests in one, for whoever counts their lengths otherwise. */
function smuggled(parts: HttpParts): fc.Arbitrary<Buffer> {
  const ways = fc.constantFrom(
    ...[
      'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG',
      'Content-Length: 4\r\nContent-Length: 11\r\n\r\nabcd',
    ],
    ...[
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
      'Content-Length: 0\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
    ...[
      'Transfer-Encoding\u000b: chunked\r\n\r\n0\r\n\r\n',
      'X: a\u0000b\r\n\r\n',
      'Content-Length: 5\r\n\r\n',
    ],
  );
  return fc
    .tuple(method, target, ways, anyRequest(parts))
    .map(([verb, path, way, next]) =>
      Buffer.concat([Buffer.from(`${verb} ${path} HTTP/1.1\r\nHost: localhost\r\n${way}`, 'latin1'), next]),
    );
}

/** A call of the admin API with a token that may do it: in the form that it takes, with values that it may not. */
function call(parts: HttpParts): fc.Arbitrary<Buffer> {
  const word = fc.constantFrom('ada', 'grace', 'joan', 'none');
  const org = fc.constantFrom(...parts.orgs);
  return fc.constantFrom(...parts.operations).chain((operation) => {
    const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const values = names.map((name) =>
      name === 'org'
        ? fc.oneof({ weight: 5, arbitrary: org }, escaped)
        : fc.oneof({ weight: 2, arbitrary: word }, segment),
    );
    const fields = Object.fromEntries(
      (operation.body ?? []).map((name) => [
        name,
        name === 'url' ? fc.constant('"http://127.0.0.1:1/x"') : goodValue(name),
      ]),
    );
    const query = fc.array(
      fc.tuple(fc.constantFrom('limit', 'cursor', ...operation.query), fc.oneof(escaped, word)),
      { maxLength: 3 },
    );
    const json = operation.body === null ? fc.constant('') : objectText(fields);
    const body = operation.contentType === 'text/csv' ? csv : json;
    return fc
      .tuple(
        fc.tuple(...values),
        query,
        body,
        fc.constantFrom(...parts.adminTokens),
        fc.oneof(
          { weight: 5, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.array(header, { maxLength: 2 }) },
        ),
      )
      .map(([given, asked, text, token, more]) => {
        const path = names.reduce(
          (whole, name, index) => whole.replace(`{${name}}`, () => given[index] ?? ''),
          operation.path,
        );
        const search = asked.map(([name, value]) => `${name}=${value}`).join('&');
        const length =
          text === ''
            ? []
            : [`Content-Type: ${operation.contentType}`, `Content-Length: ${Buffer.byteLength(text)}`];
        const headers = [
          'Host: localhost',
          `Authorization: Bearer ${token}`,
          'Connection: close',
          ...length,
          ...more,
        ];
        return bytesOf({
          line: `${operation.method} ${path}${search === '' ? '' : `?${search}`} HTTP/1.1`,
          headers,
          body: text,
          end: '\r\n',
        });
      });
  });
}

function goodValue(name: string): fc.Arbitrary<string> {
  if (name === 'user' || name === 'to') return fc.constantFrom('"ada"', '"grace"', '"joan"');
  if (/Ms$|^quota$|^days$/.test(name)) return fc.nat(1000).map(String);
  return fc.oneof(
    fc.constantFrom('null', 'true', '"active"', '"2099-01-31"', '1', '"UTC"', '"ignore"'),
    valueText,
  );
}

const csv = fc
  .tuple(
    fc.constantFrom('user,expiresAt,note', 'user;note', 'sep=;\r\nuser;note', 'note', '\ufeffuser', ''),
    fc.array(fc.tuple(text, text), { maxLength: 4 }),
    fc.constantFrom('\n', '\r\n', '\r'),
  )
  .map(([head, rows, end]) =>
    [head, ...rows.map((cells) => cells.join(head.includes(';') ? ';' : ','))].join(end),
  );

export function httpCases(parts: HttpParts): fc.Arbitrary<FuzzCase> {
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const spoiltHandshake = fc
    .tuple(fc.constantFrom(...parts.tokens), fc.array(header, { minLength: 1, maxLength: 3 }))
    .map(([token, more]) => handshake(token, more));
  const somewhere = fc.oneof(
    { weight: 4, arbitrary: anyRequest(parts) },
    { weight: 1, arbitrary: smuggled(parts) },
    { weight: 1, arbitrary: garbage },
    { weight: 1, arbitrary: spoiltHandshake },
  );
  const ports = fc.constantFrom('public' as const, 'admin' as const);
  return fc
    .oneof(fc.tuple(ports, somewhere), fc.tuple(fc.constant('admin' as const), call(parts)))
    .chain(([port, bytes]) =>
      inPieces(bytes).map((writes) => ({ kind: 'http' as const, port, writes, ownCloseCodes: [] })),
    );
}
