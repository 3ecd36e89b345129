import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An admin API that answers as a test likes: for what a real broker says seldom, or never. */
export class FakeApi {
  /** Of every request: the path with its query. */
  readonly asked: string[] = [];
  /** How it answers from now on; nothing at all unless told. */
  answer: Answer = () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push(request.url ?? '');
      this.answer(request, response);
    });
  }

  static async start(): Promise<FakeApi> {
    const api = new FakeApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Answers everything with that. */
  always(body: unknown): void {
    this.answer = (_, response) => void response.end(JSON.stringify(body));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
