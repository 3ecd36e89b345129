import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Transcript } from './transcript.js';

export type TokenMood = 'gives' | 'fails' | 'hangs';

/** Gives a new token at each GET, as text. They look like a JWT and are signed by nobody. */
export class TokenServer {
  /** What each request came to. */
  readonly asked: { readonly atMs: number; readonly token: string | null }[] = [];
  mood: TokenMood = 'gives';
  private readonly server = createServer((_, response) => this.answer(response));

  constructor(private readonly transcript: Transcript) {}

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/token`;
  }

  get given(): readonly string[] {
    return this.asked.flatMap(({ token }) => (token === null ? [] : [token]));
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', resolve);
    });
  }

  end(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(response: ServerResponse): void {
    const number = this.asked.length + 1;
    const token = this.mood === 'gives' ? tokenOf(number) : null;
    this.asked.push({ atMs: performance.now(), token });
    this.transcript.add('client', `asks the token server: it ${this.mood} (request ${number})`);
    if (this.mood === 'hangs') return;
    response.setHeader('Content-Type', 'text/plain');
    if (token === null) response.writeHead(500).end('no token at present');
    else response.end(token);
  }
}

function tokenOf(number: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'soleseat', aud: 'soleseat', org: 'acme', sub: 'ada', exp: 4_102_444_800 };
  return `${part({ jti: `kit-${number}`, alg: 'ES256' })}.${part(claims)}.a2l0`;
}
