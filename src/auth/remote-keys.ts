import { createRemoteJWKSet, customFetch } from 'jose';
import {
  allowInsecureRequests,
  customFetch as discoveryFetch,
  discoveryRequest,
  processDiscoveryResponse,
} from 'oauth4webapi';
import { isLoopback } from '../base/redis-url.js';
import { isSafeSource } from '../base/safe-source.js';
import type { KeysRead } from './key-set.js';
import { KeyError } from './keys.js';
import { keyRingFromEntries } from './read-keys.js';

const timeoutMs = 5000;
/** Far above any key set: more is not held in memory. */
const maxBytes = 1_048_576;

/** Reads a JWKS (RFC 7517 section 5) at a URL. Rejects where it cannot be had, or holds no key that can be used. */
export function jwksAt(url: string): () => Promise<KeysRead> {
  refuseInsecure(url);
  const remote = createRemoteJWKSet(new URL(url), {
    timeoutDuration: timeoutMs,
    [customFetch]: boundedFetch,
  });
  return async () => {
    await told(`the key set at ${originOf(url)}`, () => remote.reload());
    return { ring: keyRingFromEntries(remote.jwks()?.keys ?? [], { isPublic: true }) };
  };
}

/** Reads the keys of an OpenID provider (OpenID Connect Discovery 1.0, section 4), and what it calls itself. */
export function keysOfIssuer(issuer: string): () => Promise<KeysRead> {
  refuseInsecure(issuer);
  let known: { readonly url: string; readonly read: () => Promise<KeysRead> } | null = null;
  return async () => {
    const identifier = new URL(issuer);
    const { issuer: name, jwks_uri: url } = await told(`the provider at ${originOf(issuer)}`, async () => {
      const response = await discoveryRequest(identifier, {
        algorithm: 'oidc',
        signal: AbortSignal.timeout(timeoutMs),
        [allowInsecureRequests]: isLoopback(identifier.hostname),
        [discoveryFetch]: boundedFetch,
      });
      return processDiscoveryResponse(identifier, response);
    });
    if (url === undefined) throw new KeyError('the provider names no jwks_uri');
    if (known?.url !== url) known = { url, read: jwksAt(url) };
    return { ...(await known.read()), issuer: name };
  };
}

function refuseInsecure(url: string): void {
  if (!isSafeSource(url)) throw new KeyError('the keys are not at an https URL');
}

async function told<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    const why = cause instanceof Error ? `${message} (${cause.message})` : message;
    throw new KeyError(`${what} cannot be read: ${why}`);
  }
}

function originOf(url: string): string {
  return new URL(url).origin;
}

/** fetch, but for answers that are too large. */
async function boundedFetch(url: string, options: object): Promise<Response> {
  const response = await fetch(url, options as RequestInit);
  if (response.body === null) return response;
  let left = maxBytes;
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        left -= chunk.byteLength;
        if (left < 0) controller.error(new Error(`the answer has more than ${maxBytes} bytes`));
        else controller.enqueue(chunk);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(bounded, { status, statusText, headers });
}
