import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Gives a client program its tokens over HTTP, as a licensor's own server would. It may also fail, or hang. */
export class TokenServer {
  /** What the next answers are. */
  mode: 'gives' | 'hangs' | 'fails' = 'gives';

  private constructor(
    private readonly server: Server,
    public token: () => string,
  ) {}

  static async start(token: () => string): Promise<TokenServer> {
    const server = createServer((_, response) => tokens.#answer(response));
    const tokens: TokenServer = new TokenServer(server, token);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return tokens;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  #answer(response: ServerResponse): void {
    if (this.mode === 'hangs') return;
    if (this.mode === 'fails') response.writeHead(500).end('on purpose');
    else response.end(this.token());
  }
}
