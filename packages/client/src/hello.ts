import { wholeMs } from './idle-report.js';
import type { ConnectOptions } from './options.js';
import type { HelloMessage } from './protocol/messages.js';

/** What an attempt adds to what the program says of itself. */
type OfAttempt = Pick<HelloMessage, 'instance' | 'attempt' | 'onConflict' | 'token' | 'resume' | 'ticket'>;

/** Each field of `T` may be undefined too. */
type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/** The `hello` of an attempt. JSON has no undefined: such a field is left out on the wire. */
export function helloOf(options: ConnectOptions, ofAttempt: Loose<OfAttempt>): HelloMessage {
  const { machine, client, idleMs, onTakeoverRequested, proof } = options;
  const hello: Loose<HelloMessage> = {
    type: 'hello',
    machine,
    client,
    idleMs: safely(() => idleMs && wholeMs(idleMs())), // [idle-hello]
    asks: onTakeoverRequested && true, // [asks-told]
    nonce: proof?.nonce(), // [nonce-fresh]
    ...ofAttempt,
  };
  return hello as HelloMessage;
}

/** What the program says. A fault of its own must not keep it from its seat. */
export function safely<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (fault) {
    console.error('soleseat: an option threw', fault);
    return undefined;
  }
}
