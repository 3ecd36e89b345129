import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** DER (X.690): a tag, a length and a content. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const lengthBytes = length < 128 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

const sequence = (...contents: readonly Buffer[]) => der(0x30, ...contents);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (text: string) => der(0x17, Buffer.from(text));
const bits = (content: Buffer) => der(0x03, Buffer.from([0]), content);
const pem = (label: string, bytes: Buffer) =>
  // No empty line, also where the last one is full: OpenSSL refuses that.
  [
    `-----BEGIN ${label}-----`,
    ...(bytes.toString('base64').match(/.{1,64}/g) ?? []),
    `-----END ${label}-----`,
    '',
  ].join('\n');

const signedBy = {
  ec: sequence(oid('2a8648ce3d040302')), // ecdsa-with-SHA256
  rsa: sequence(oid('2a864886f70d01010b'), der(0x05)), // sha256WithRSAEncryption
};
const commonName = oid('550403');
const subjectAltName = oid('551d11');
const basicConstraints = oid('551d13');

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Host names beside the address 127.0.0.1. */
  readonly hosts?: readonly string[];
  /** Whether the address is left out. */
  readonly isNamedOnly?: boolean;
  /** Who signs it; left out, it signs itself. */
  readonly by?: Certificate;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
  /** Like `491231235959Z`: YYMMDDhhmmss. */
  readonly end?: string;
  /** The kind of its key, and of the key that signs it. */
  readonly kind?: keyof typeof signedBy;
}

/** A certificate for 127.0.0.1 (RFC 5280), with its key; both as PEM. */
export function certificate({
  hosts = [],
  isNamedOnly = false,
  by,
  isAuthority = false,
  end = '491231235959Z',
  kind = 'ec',
}: CertificateOptions = {}): Certificate {
  const { publicKey, privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const name = (text: string) => sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))));
  const ofAuthority = name('soleseat authority');
  const own = isAuthority ? ofAuthority : name('soleseat test');
  const address = isNamedOnly ? [] : [der(0x87, Buffer.from([127, 0, 0, 1]))];
  const names = [...address, ...hosts.map((host) => der(0x82, Buffer.from(host)))];
  const isCritical = der(0x01, Buffer.from([0xff]));
  const extensions = [
    sequence(subjectAltName, der(0x04, sequence(...names))),
    ...(isAuthority ? [sequence(basicConstraints, isCritical, der(0x04, sequence(isCritical)))] : []),
  ];
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, randomBytes(8).fill(1, 0, 1)),
    signedBy[kind],
    by === undefined ? own : ofAuthority,
    sequence(utcTime('200101000000Z'), utcTime(end)),
    own,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = bits(sign('sha256', toBeSigned, by?.key ?? privateKey));
  return {
    cert: pem('CERTIFICATE', sequence(toBeSigned, signedBy[kind], signature)),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

/** A certificate that signs itself. */
export function selfSigned(end?: string): Certificate {
  return certificate({ ...(end !== undefined && { end }) });
}
