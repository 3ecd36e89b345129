import type { licenseMetrics } from '../../src/base/metrics/licenses.js';
import type { Cause } from './stage.js';

/** What makes each metric of licenses move. */
export const licenseCauses = {
  licensesQuota: {
    series: 'soleseat_licenses_quota{org="acme"}',
    happen: async (stage) => {
      await stage.store.hset('soleseat:{acme}:settings', 'quota', 25);
      await stage.seat('ada');
    },
    isMoved: (after) => after === 25,
  },
  licensesIssued: {
    series: 'soleseat_licenses_issued{org="acme"}',
    settings: { SOLESEAT_LICENSE_MODE: 'auto' },
    happen: (stage) => Promise.all([stage.seat('ada'), stage.seat('eve')]),
    isMoved: (after) => after === 2,
  },
  licensesActive: {
    series: 'soleseat_licenses_active{org="acme"}',
    happen: (stage) => Promise.all([stage.seat('ada'), stage.seat('eve')]),
    isMoved: (after) => after === 2,
  },
  licensesPeak: {
    series: 'soleseat_licenses_active_peak{org="acme"}',
    happen: (stage) => Promise.all([stage.seat('ada'), stage.seat('eve')]),
    isMoved: (after) => after === 2,
  },
  trafficOldestSeconds: {
    series: 'soleseat_traffic_oldest_seconds{org="acme"}',
    happen: async (stage) => {
      const [seconds] = await stage.store.time();
      await stage.store.xadd(
        'soleseat:{acme}:events',
        `${(Number(seconds) - 50) * 1000}-1`,
        'type',
        'session.granted',
      );
      await stage.seat('ada');
    },
    isMoved: (after) => after >= 50,
  },
  orgsNearQuota: {
    series: 'soleseat_orgs_near_quota',
    settings: { SOLESEAT_LICENSE_MODE: 'auto' },
    happen: async (stage) => {
      await stage.store.hset('soleseat:{acme}:settings', 'quota', 1);
      await stage.seat('ada');
    },
    isMoved: (after) => after === 1,
  },
} satisfies Record<keyof typeof licenseMetrics, Cause>;
