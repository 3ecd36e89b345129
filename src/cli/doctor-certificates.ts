import { firstEndOf } from '../base/certificates.js';
import type { Configuration } from './configuration.js';
import type { Finding } from './doctor-finding.js';

const DAY_MS = 86_400_000;
/** As the alerts have it (`deploy/prometheus/rules.yml`). */
const WARN_DAYS = 21;

/** When the certificates end that are shown and believed. */
export function certificateFindings({ tls, redisTls }: Configuration): Finding[] {
  const certificates = [
    ['SOLESEAT_TLS_CERT', tls?.cert],
    ['SOLESEAT_REDIS_TLS_CA', redisTls.ca],
    ['SOLESEAT_REDIS_TLS_CERT', redisTls.cert],
  ] as const;
  return certificates.flatMap(([setting, pem]): Finding[] => {
    if (pem === undefined) return [];
    const days = Math.floor((firstEndOf(pem) * 1000 - Date.now()) / DAY_MS);
    const what =
      days < 0
        ? `the certificate of ${setting} has ended`
        : `the certificate of ${setting} ends in ${days} days`;
    if (days >= WARN_DAYS) return [{ level: 'good', what }];
    const advice = 'Write the new one into the same file: a running node reads it by itself.';
    return [{ level: days < 0 ? 'bad' : 'warning', what, advice }];
  });
}
