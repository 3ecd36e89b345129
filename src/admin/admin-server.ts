import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../base/metrics.js';

export interface AdminParts {
  readonly metrics: Metrics;
  /** Null when the node takes new sessions, else why it does not. */
  readonly notReadyBecause: () => string | null;
}

/** The HTTP door for operators: `/livez`, `/readyz` and `/metrics`. */
export class AdminServer {
  readonly #http: Server;

  constructor(private readonly parts: AdminParts) {
    this.#http = createServer((request, response) => {
      const path = (request.url ?? '').split('?', 1)[0] ?? '';
      const answer = this.#routes[path];
      if (answer === undefined) problem(response, 404, 'no such page');
      else if (request.method !== 'GET' && request.method !== 'HEAD')
        problem(response, 405, 'use GET', { Allow: 'GET, HEAD' });
      else answer(response);
    });
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen({ host, port }, () => resolve());
    });
    return this.#http.address() as AddressInfo;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeAllConnections();
    await closed;
  }

  readonly #routes: Readonly<Record<string, (response: ServerResponse) => void>> = {
    '/livez': (response) => text(response, 200, 'alive'),
    '/readyz': (response) => {
      const reason = this.parts.notReadyBecause();
      if (reason === null) text(response, 200, 'ready');
      else text(response, 503, reason, { 'Retry-After': '2' });
    },
    '/metrics': (response) => void this.#metrics(response),
  };

  async #metrics(response: ServerResponse): Promise<void> {
    const { registry } = this.parts.metrics;
    const page = await registry.metrics();
    response.writeHead(200, { 'Content-Type': registry.contentType });
    response.end(page);
  }
}

type Headers = Readonly<Record<string, string>>;

function text(response: ServerResponse, status: number, line: string, headers: Headers = {}): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', ...headers });
  response.end(`${line}\n`);
}

/** An error as problem+json (RFC 9457). */
function problem(response: ServerResponse, status: number, title: string, headers: Headers = {}): void {
  response.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers });
  response.end(JSON.stringify({ status, title }));
}
