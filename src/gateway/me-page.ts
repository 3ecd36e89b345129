import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { answerRefusal, send } from './own-seat.js';
import { pathOf, type Refusal } from './upgrade.js';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The files of the page, by the path that each is asked for under. */
const files: ReadonlyMap<string, string> = new Map([
  ['/me', 'me.html'],
  ['/me/me.js', 'me.js'],
  ['/me/me.css', 'me.css'],
]);

const texts = new Map<string, string>();

function textOf(name: string): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`./me/${name}`, import.meta.url), 'utf8');
    texts.set(name, text);
  }
  return text;
}

/**
 * `/me`: the page on which users see where they are in, and sign that machine out. It holds no secret and asks with the token
 * that it is given in the fragment of its URL, or by `postMessage` from the page that opened it.
 */
export function serveMe(
  request: IncomingMessage,
  response: ServerResponse,
  _parts: unknown,
  tooMany: Refusal | null,
): void {
  if (tooMany !== null) {
    answerRefusal(response, tooMany, {});
    return;
  }
  const name = files.get(pathOf(request) ?? '') ?? 'me.html';
  const headers = {
    'Content-Type': contentTypes[extname(name)] ?? 'text/plain',
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
  };
  if (request.method === 'OPTIONS') response.writeHead(204).end();
  else send(response, 200, headers, textOf(name));
}
