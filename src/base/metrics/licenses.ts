import type { MetricRows } from './row.js';

/**
 * Licenses per org, for as many orgs as SOLESEAT_METRICS_ORGS says, in the order of their names. Those beyond are
 * summed in one series, whose org is `{others}`: no org can have that name.
 */
export const licenseMetrics = {
  licensesQuota: [
    'gauge',
    'soleseat_licenses_quota',
    'Licenses that the org bought; no series for an org without a quota.',
    { org: 'open' },
  ],
  licensesIssued: ['gauge', 'soleseat_licenses_issued', 'Licenses that the org has issued.', { org: 'open' }],
  licensesActive: [
    'gauge',
    'soleseat_licenses_active',
    'Licenses in use: sessions of the org on all nodes.',
    { org: 'open' },
  ],
  licensesPeak: [
    'gauge',
    'soleseat_licenses_active_peak',
    'The most sessions that the org ever had at once.',
    { org: 'open' },
  ],
  trafficOldestSeconds: [
    'gauge',
    'soleseat_traffic_oldest_seconds',
    'Age of the oldest event of sessions and refusals that is kept of the org, as of the last look at it; no series where there is none, nor for `{others}`.',
    { org: 'open' },
  ],
  orgsNearQuota: [
    'gauge',
    'soleseat_orgs_near_quota',
    'Orgs that have issued more than 90 % of the licenses that they bought, of all orgs.',
    {},
  ],
} as const satisfies MetricRows;
