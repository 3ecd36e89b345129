import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TokenGate } from '../auth/gate.js';
import type { AdminClaims } from '../auth/tokens.js';
import { addressOf } from '../base/address.js';
import { isSignedIn, setCookie } from './access.js';
import type { AutoSignIn } from './route.js';

/** Names that lead to this computer whatever a name server says. */
const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
const loopbackAddresses: ReadonlySet<string> = new Set(['127.0.0.1', addressOf('::1')]);
/** A proxy on this computer makes everybody look local. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/** Signs the browser in that asks for the console, unless it is signed in or not of this computer. */
export function signInByItself(
  request: FastifyRequest,
  reply: FastifyReply,
  gate: TokenGate<AdminClaims>,
  { mint, lifeMs }: AutoSignIn,
): void {
  if (isSignedIn(request, gate) || !isOfThisComputer(request)) return;
  setCookie(request, reply, mint(), lifeMs);
}

/**
 * Both ends of the socket are this computer's, and the browser means this computer: a page of elsewhere whose
 * name was made to lead here (DNS rebinding) sends its own name as the host.
 */
function isOfThisComputer({ headers, socket }: FastifyRequest): boolean {
  const { remoteAddress, localAddress } = socket;
  const isLoopback = (address = '') => loopbackAddresses.has(addressOf(address));
  const { host = '' } = headers;
  return (
    isLoopback(remoteAddress) &&
    isLoopback(localAddress) &&
    URL.canParse(`http://${host}`) &&
    loopbackNames.has(new URL(`http://${host}`).hostname) &&
    proxyHeaders.every((name) => headers[name] === undefined)
  );
}
