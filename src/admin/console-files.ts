import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, RouteHandlerMethod } from 'fastify';
import { signInByItself } from './auto-sign-in.js';
import { notFound } from './problem.js';
import type { AdminParts } from './route.js';

type ConsoleParts = Pick<AdminParts, 'autoSignIn' | 'gate'>;

/** The bundle, also where this file runs uncompiled. A folder that is missing means that there is no console. */
const consoleFolder = fileURLToPath(new URL('../../dist/console', import.meta.url));

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

export const consolePaths = ['/console', '/console/*'] as const;
const [index, below] = consolePaths;

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const contentSecurityPolicy =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/**
 * The web console's files under /console. They are read once, at the start: a request is looked up by its name and
 * never becomes a path. A name without a file extension leads to the index page.
 */
export function serveConsole(app: FastifyInstance, { autoSignIn, gate }: ConsoleParts): void {
  const get = (url: string, handler: RouteHandlerMethod) =>
    app.route({ method: ['GET', 'HEAD'], url, handler });
  const files = readFiles(consoleFolder);
  // Relative, as all that the page asks for: a proxy may have put it under another path.
  get(index, async (_request, reply) => redirect(reply, 'console/'));
  get(below, async (request, reply) => {
    const { '*': name } = request.params as { '*': string };
    const file = files.get(name === '' ? 'index.html' : name);
    if (file === undefined && isPlace.test(name)) return redirect(reply, rootFrom(name));
    if (file === undefined) throw notFound();
    if (autoSignIn !== undefined && file === files.get('index.html'))
      signInByItself(request, reply, gate, autoSignIn);
    // The bundler puts a hash of the content into the names under assets/.
    if (name.startsWith('assets/')) reply.header('Cache-Control', 'public, max-age=31536000, immutable');
    reply.header('Content-Security-Policy', contentSecurityPolicy).header('Vary', 'Accept-Encoding');
    const isZipped = /\bgzip\b/.test(String(request.headers['accept-encoding']));
    if (isZipped) reply.header('Content-Encoding', 'gzip');
    return reply.type(file.contentType).send(isZipped ? file.zipped : file.content);
  });
}

/** Fastify tells the length of GET alone, and HEAD has the same headers. */
function redirect(reply: FastifyReply, to: string): FastifyReply {
  return reply.header('Content-Length', '0').redirect(to);
}

const isPlace = /^[\w/-]+$/;

/** The way back to the console's own folder. */
function rootFrom(name: string): string {
  return '../'.repeat(name.split('/').length - 1) || './';
}

interface ConsoleFile {
  readonly contentType: string;
  readonly content: Buffer;
  readonly zipped: Buffer;
}

function readFiles(folder: string): ReadonlyMap<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  for (const name of namesIn(folder)) {
    const contentType = contentTypes[extname(name)];
    if (contentType === undefined) continue;
    const content = readFileSync(join(folder, name));
    files.set(name.split(sep).join('/'), { contentType, content, zipped: gzipSync(content) });
  }
  return files;
}

/** None where there is no such folder: a broker without a console is still one. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}
