import type { Refusal } from './upgrade.js';

/** Null where the peer went away: then nobody did wrong, and nobody is there to be told. */
export function refusalOf(errorCode: string): Refusal | null {
  if (errorCode === 'HPE_HEADER_OVERFLOW') return { status: 431, message: 'the headers are too large' };
  if (errorCode === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, message: 'the request took too long' };
  const isParserFault = errorCode.startsWith('HPE_') && errorCode !== 'HPE_INVALID_EOF_STATE';
  return isParserFault ? { status: 400, message: 'this is not HTTP' } : null;
}
