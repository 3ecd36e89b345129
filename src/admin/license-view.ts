import type { License } from '../store/license-types.js';
import { timeText, timeTextOrNull } from './schemas.js';

/** A license as it goes out. */
export function licenseView(license: License) {
  return {
    ...license,
    issuedAt: timeText(license.issuedAt),
    expiresAt: timeTextOrNull(license.expiresAt),
    startsAt: timeTextOrNull(license.startsAt),
    lastUsedAt: timeTextOrNull(license.lastUsedAt),
  };
}
