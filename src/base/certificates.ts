import { X509Certificate } from 'node:crypto';

const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** When the first of these PEM certificates ends (RFC 5280 section 4.1.2.5), in Unix seconds. Throws where one cannot be read. */
export function firstEndOf(pem: string): number {
  const ends = [...pem.matchAll(pemCertificate)].map(
    ([one]) => Date.parse(new X509Certificate(one).validTo) / 1000,
  );
  return Math.min(...ends);
}
