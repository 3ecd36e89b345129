import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type JWK } from 'oidc-provider';

const client = { client_id: 'desktop', client_secret: 'a-secret-of-the-desktop' };
const resource = 'urn:soleseat:api';

/** A real OpenID provider, whose keys are changed as its operator would: by a restart with others, at the same address. */
export class IdentityProvider {
  #provider: Provider | null = null;
  #keys: JWK[] = [];

  private constructor(
    private readonly server: Server,
    readonly issuer: string,
    private readonly tokenSeconds: number,
  ) {}

  static async start(tokenSeconds: number, port: string | number = 0): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const provider = new IdentityProvider(server, issuer, tokenSeconds);
    server.on('request', (request, response) => void provider.#provider?.callback()(request, response));
    provider.rotate();
    return provider;
  }

  /** Signs with a new key from now on; the one before is still listed, older ones are not. */
  rotate(): void {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'ES256' };
    this.#keys = [jwk as JWK, ...this.#keys.slice(0, 1)];
    const { tokenSeconds } = this;
    this.#provider = new Provider(this.issuer, {
      jwks: { keys: this.#keys },
      clients: [
        {
          ...client,
          grant_types: ['client_credentials'],
          response_types: [],
          redirect_uris: [],
          id_token_signed_response_alg: 'ES256',
        },
      ],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => resource,
          getResourceServerInfo: () => ({
            scope: '',
            audience: 'soleseat',
            accessTokenFormat: 'jwt',
            accessTokenTTL: tokenSeconds,
            jwt: { sign: { alg: 'ES256' } },
          }),
        },
      },
      extraTokenClaims: ({ req }: { req: IncomingMessage }) => ({
        employee: { id: String(req.headers['x-user']) },
        organization: { acme: { id: 'b2c1' } },
      }),
    });
  }

  /** An access token for this user, as a program would fetch it. */
  async token(user: string): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}`,
        'content-type': 'application/x-www-form-urlencoded',
        'x-user': user,
      },
      body: 'grant_type=client_credentials',
    });
    if (!response.ok) throw new Error(`the provider gave no token: ${await response.text()}`);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
