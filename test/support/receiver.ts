import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as Verifier } from 'standardwebhooks';

/** What a receiver of webhooks got. */
export interface Received {
  readonly id: string;
  readonly type: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** What it was answered. */
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  readonly data: any;
}

/** A real HTTP server that gets webhooks, and answers as the test says. */
export class Receiver {
  readonly received: Received[] = [];
  /** The status to answer with, or how to answer; after so many ms. */
  answer: (
    received: Received,
  ) => number | { readonly status: number; readonly headers: Record<string, string> } = () => 204;
  delayMs = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const { type, data } = JSON.parse(body);
        const one = {
          id: String(request.headers['webhook-id']),
          type,
          data,
          body,
          headers: request.headers,
          status: 0,
        };
        this.received.push(one);
        const answer = this.answer(one);
        const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
        one.status = status;
        setTimeout(() => response.writeHead(status, headers).end(), this.delayMs);
      });
    });
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Receiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hooks`;
  }

  /** What was accepted, each id once, in the order of its first success. */
  get accepted(): readonly Received[] {
    const seen = new Set<string>();
    return this.received.filter(({ id, status }) => {
      if (status !== 204 || seen.has(id)) return false;
      seen.add(id);
      return true;
    });
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** Whether the message is signed with this secret, as Standard Webhooks checks it. */
export function isSigned({ body, headers }: Received, secret: string): boolean {
  try {
    new Verifier(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
