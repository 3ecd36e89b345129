import { spec } from './spec.js';

/** Seats, licenses and the past. */
export const seatsSettings = {
  licenseMode: spec(
    'SOLESEAT_LICENSE_MODE',
    'choice',
    'required',
    'For orgs without a setting of their own: `required` (a license must have been issued), `auto` (the first claim issues one while the quota lasts) or `open` (none needed). `dev`: open.',
    ['required', 'auto', 'open'],
  ),
  leaseTtlMs: spec('SOLESEAT_LEASE_TTL_MS', 'durationMs', '30000', 'Life of a lease without renewal.'),
  renewEveryMs: spec(
    'SOLESEAT_RENEW_EVERY_MS',
    'durationMs',
    '10000',
    'Time between two renewals, and between two pings.',
  ),
  jeopardyGraceMs: spec(
    'SOLESEAT_JEOPARDY_GRACE_MS',
    'durationMs',
    '60000',
    'How long past its deadline a session is kept while Redis is out of reach; 0 = strict.',
  ),
  takeoversPerMinute: spec(
    'SOLESEAT_TAKEOVERS_PER_MINUTE',
    'count',
    '20',
    'Takeovers of one user a minute before `flapping`; 0 = no limit.',
  ),
  claimsPerMinute: spec(
    'SOLESEAT_CLAIMS_PER_MINUTE',
    'count',
    '120',
    'Claims of one user a minute, over all nodes and refused ones included, before close 4429; 0 = no limit, as where SOLESEAT_TAKEOVERS_PER_MINUTE is 0.',
  ),
  eventsKept: spec(
    'SOLESEAT_EVENTS_KEPT',
    'count',
    '250000',
    'About how many events of sessions and refusals an org keeps at most.',
  ),
  sessionsKeptMs: spec(
    'SOLESEAT_SESSIONS_KEPT',
    'durationMs',
    '90d',
    'For how long events of sessions and refusals are kept, within SOLESEAT_EVENTS_KEPT; 0 = for ever.',
  ),
  actsKeptMs: spec(
    'SOLESEAT_ACTS_KEPT',
    'durationMs',
    '3650d',
    'For how long events about licenses, orgs and rules are kept, whatever else happens; 0 = for ever.',
  ),
  machinesKeptMs: spec(
    'SOLESEAT_MACHINES_KEPT',
    'durationMs',
    '400d',
    'For how long after their last seat the machines of a user are kept; 0 = for ever.',
  ),
  sweepEveryMs: spec(
    'SOLESEAT_SWEEP_EVERY_MS',
    'durationMs',
    '500',
    'Time between two sweeps of expired sessions out of the counts.',
  ),
  probeEveryMs: spec(
    'SOLESEAT_PROBE_EVERY_MS',
    'durationMs',
    '5000',
    "Time between two liveness probes of the node's own pub/sub inbox.",
  ),
  webhooksToPrivate: spec(
    'SOLESEAT_WEBHOOKS_TO_PRIVATE',
    'flag',
    'false',
    'Whether webhooks may lead into private networks, and over plain http. `dev`: true.',
  ),
} as const;
