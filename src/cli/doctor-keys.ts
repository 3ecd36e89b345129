import { statSync } from 'node:fs';
import type { KeyRing } from '../auth/keys.js';
import { jwksAt, keysOfIssuer } from '../auth/remote-keys.js';
import type { Settings } from '../base/settings.js';
import { readTextSync } from '../base/text-file.js';
import type { Configuration } from './configuration.js';
import type { Finding } from './doctor-finding.js';

/** Reads the keys where they are, as the broker does. */
export async function keyFindings({ settings, keys, adminKeys }: Configuration): Promise<Finding[]> {
  const findings = await ringFindings(settings, keys);
  if (keys === null && adminKeys === null)
    findings.push({
      level: 'warning',
      what: 'no admin token can be good: the identity provider signs those of clients',
      advice: 'Give SOLESEAT_ADMIN_JWT_SECRET or SOLESEAT_ADMIN_JWT_KEYS.',
    });
  const file = settings.jwtKeysFile;
  const isSecretFile = file !== '' && /"(d|k)"\s*:|PRIVATE KEY/.test(readTextSync(file));
  if (isSecretFile && (statSync(file).mode & 0o077) !== 0) {
    const what = 'the key file holds secrets and others on this machine may read it';
    findings.push({ level: 'warning', what, advice: `chmod 600 ${file}; or keep only public keys in it` });
  }
  return findings;
}

async function ringFindings(settings: Settings, local: KeyRing | null): Promise<Finding[]> {
  try {
    const ring = local ?? (await readRemoteKeys(settings));
    const names = ring.keys.map(({ algorithm, kid }) => (kid === null ? algorithm : `${algorithm} (${kid})`));
    const skipped = ring.skipped.map(
      (why): Finding => ({
        level: 'warning',
        what: why,
        advice: 'It is left out: no token that it signs is good.',
      }),
    );
    return [{ level: 'good', what: `token keys: ${names.join(', ')}` }, ...skipped];
  } catch (error) {
    const what = (error as Error).message;
    return [{ level: 'bad', what, advice: 'Until they can be read, no client gets in.' }];
  }
}

async function readRemoteKeys({ jwksUrl, oidcIssuer }: Settings): Promise<KeyRing> {
  const read = jwksUrl === '' ? keysOfIssuer(oidcIssuer) : jwksAt(jwksUrl);
  return (await read()).ring;
}
