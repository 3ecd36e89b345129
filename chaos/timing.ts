import type { SettingTexts } from '../src/base/settings.js';

/** Short times, so that what takes half a minute in production takes three seconds here. */
export const timing = {
  ttlMs: 3000,
  renewEveryMs: 500,
  commandTimeoutMs: 900,
  probeEveryMs: 1000,
  sweepEveryMs: 500,
  drainMs: 300,
} as const;

/** The part of the TTL that a node counts on (a tenth is its margin). */
export const countedTtlMs = timing.ttlMs * 0.9;
/** For reconnecting, subscribing again and verifying after a fault has gone: the longest wait of the node's backoff, and one command. */
export const recoveryMs = 2000 + timing.commandTimeoutMs;

export const SECRET = 'a secret of the chaos checker, of more than 32 bytes';
export const ORG = 'chaos';
/** For how long nobody may be at work, where the run has rules. */
export const IDLE_LIMIT_MS = 3000;
/** How long a holder who is asked for the seat may think. */
export const ASK_WAIT_MS = 1500;
/** As many as there are: the number of `ended` events is compared with the counters. */
export const EVENTS_KEPT = 10_000_000;

/** Strict: a session ends at its deadline. No limits, as the people here are faster than people. */
export const nodeSettings: SettingTexts = {
  SOLESEAT_HOST: '127.0.0.1',
  SOLESEAT_JWT_SECRET: SECRET,
  SOLESEAT_LICENSE_MODE: 'open',
  SOLESEAT_LOG_LEVEL: 'info',
  SOLESEAT_LEASE_TTL_MS: String(timing.ttlMs),
  SOLESEAT_RENEW_EVERY_MS: String(timing.renewEveryMs),
  SOLESEAT_COMMAND_TIMEOUT_MS: String(timing.commandTimeoutMs),
  SOLESEAT_PROBE_EVERY_MS: String(timing.probeEveryMs),
  SOLESEAT_SWEEP_EVERY_MS: String(timing.sweepEveryMs),
  SOLESEAT_DRAIN_MS: String(timing.drainMs),
  SOLESEAT_JEOPARDY_GRACE_MS: '0',
  SOLESEAT_TAKEOVERS_PER_MINUTE: '0',
  SOLESEAT_CLAIMS_PER_MINUTE: '0',
  SOLESEAT_HANDSHAKES_PER_SECOND: '0',
  SOLESEAT_HANDSHAKES_PER_ADDRESS: '0',
  SOLESEAT_CONNECTIONS_PER_ADDRESS: '0',
  SOLESEAT_EVENTS_KEPT: String(EVENTS_KEPT),
};

/** CLOCK_MONOTONIC in ms, which is one clock for all processes of the machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
