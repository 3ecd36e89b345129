import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type TlsOptions } from 'node:tls';

/** What the public port needs to speak TLS, as PEM. */
export interface TlsPair {
  /** The certificate, then those between it and its root. */
  readonly cert: string;
  readonly key: string;
}

/**
 * What is offered: TLS 1.3, and of TLS 1.2 what has forward secrecy, so that who gets hold of the key some day reads nothing of
 * what was recorded before. Those without AEAD come last, for Windows before 10 beside an RSA certificate.
 */
export const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-RSA-AES256-SHA384',
    'ECDHE-RSA-AES128-SHA256',
  ].join(':'),
  honorCipherOrder: true,
} as const satisfies TlsOptions;

/** A certificate or key that cannot be used. The message says why, and never holds any of it. */
export class TlsFault extends Error {
  constructor(
    readonly part: keyof TlsPair,
    message: string,
  ) {
    super(message);
  }
}

/** Checks that both can be used, and together. Throws TlsFault. */
export function checkTlsPair({ cert, key }: TlsPair): TlsPair {
  const certificate = readCertificate(cert);
  if (!certificate.checkPrivateKey(readKey(key)))
    throw new TlsFault('key', 'holds the key of another certificate');
  try {
    // What is too weak, or broken further down the chain, OpenSSL says only here.
    createSecureContext({ cert, key });
  } catch {
    throw new TlsFault('cert', 'holds certificates that are of no use for TLS');
  }
  return { cert, key };
}

function readCertificate(cert: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch {
    throw new TlsFault('cert', 'holds no PEM certificate');
  }
}

function readKey(key: string): KeyObject {
  try {
    return createPrivateKey(key);
  } catch {
    throw new TlsFault('key', 'holds no PEM private key, or an encrypted one');
  }
}
