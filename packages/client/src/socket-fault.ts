import type { Cause } from './cause.js';

/** From an error of Node's sockets, told apart by its code. */
export function faultCause(fault: { readonly code?: unknown; readonly message?: unknown }): Cause {
  const code = typeof fault.code === 'string' ? fault.code : '';
  const text = String(fault.message ?? code);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { kind: 'host_not_found', message: `There is no such host, or no network: ${text}` };
  if (code === 'ECONNREFUSED')
    return { kind: 'refused', message: `Nobody listens there: is the broker running? ${text}` };
  if (code === 'ETIMEDOUT') return { kind: 'timeout', message: text };
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|ALTNAME|EPROTO/.test(code))
    return { kind: 'tls', message: `The certificate of the broker is not accepted (${code}): ${text}` };
  return { kind: 'network', message: text };
}
