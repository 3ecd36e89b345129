import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

// What third parties rely on, as literals: none of it is imported from src as a constant.
const read = (path: string) => readFileSync(new URL(`../src/${path}`, import.meta.url), 'utf8');

describe('pins', () => {
  it('the close codes are those that clients were written for', async () => {
    const { closeCodes } = await import('../src/protocol/close-codes.js');
    expect(Object.fromEntries(closeCodes.map(({ reason, code }) => [reason, code]))).toEqual({
      released: 1000,
      protocol_error: 1002,
      binary_not_supported: 1003,
      draining: 1012,
      overloaded: 1013,
      store_unavailable: 1013,
      token_expired: 4001,
      slow_consumer: 4008,
      lease_lost: 4010,
      no_pong: 4014,
      hello_timeout: 4408,
      stale_attempt: 4409,
      rate_limited: 4429,
      bad_request: 4500,
      unauthorized: 4501,
      forbidden: 4503,
      machine_not_allowed: 4505,
      unsupported_protocol: 4506,
      taken_over: 4509,
      superseded: 4509,
      evicted_by_admin: 4510,
      license_suspended: 4511,
      license_revoked: 4511,
      license_expired: 4512,
      license_required: 4513,
      quota_exhausted: 4514,
      token_revoked: 4516,
      idle_timeout: 4517,
      flapping: 4529,
    });
    expect(closeCodes.every(({ reason }) => Buffer.byteLength(reason) <= 123)).toBe(true);
  });

  it('the keys in Redis have the names that operators know', async () => {
    const { redisKeys } = await import('../src/store/redis-keys.js');
    const names = Object.values(redisKeys).map(({ key, type }) => `${type} ${key}`);
    expect(names.sort()).toEqual([
      'HyperLogLog {<org>}:users:<day>',
      'channel node:<nodeId>',
      'hash <index>totals',
      'hash <index>webhook:<webhook>',
      'hash node-info',
      'hash webhooks',
      'hash {<org>}:aliases',
      'hash {<org>}:counters',
      'hash {<org>}:held',
      'hash {<org>}:imports',
      'hash {<org>}:license:<user>',
      'hash {<org>}:machine-notes:<user>',
      'hash {<org>}:names',
      'hash {<org>}:refused',
      'hash {<org>}:settings',
      'hash {<org>}:usage:<hour>',
      'set <index>wanted',
      'set orgs',
      'set slots',
      'sorted set <index>due',
      'sorted set <index>quota',
      'sorted set nodes',
      'sorted set org-names',
      'sorted set {<org>}:active',
      'sorted set {<org>}:expiring',
      'sorted set {<org>}:licensed',
      'sorted set {<org>}:machines:<user>',
      'sorted set {<org>}:reminders',
      'sorted set {<org>}:revoked',
      'sorted set {<org>}:used',
      'stream <index>outbox',
      'stream <index>webhook-parked:<webhook>',
      'stream {<org>}:acts',
      'stream {<org>}:events',
      'stream {<org>}:history:<user>',
      'string outbox-turn',
      'string schema',
      'string sweep-turn',
      'string {<org>}:claims:<user>',
      'string {<org>}:epoch',
      'string {<org>}:fence:<user>',
      'string {<org>}:lease:<user>',
      'string {<org>}:reign',
      'string {<org>}:request:<request>',
      'string {<org>}:takeovers:<user>',
    ]);
  });

  it.each([
    'REDIS_URL',
    'SOLESEAT_HOST',
    'SOLESEAT_PORT',
    'SOLESEAT_ADMIN_HOST',
    'SOLESEAT_ADMIN_PORT',
    'SOLESEAT_JWT_SECRET',
    'SOLESEAT_JWT_KEYS',
    'SOLESEAT_JWT_ISSUER',
    'SOLESEAT_JWT_AUDIENCE',
    'SOLESEAT_ADMIN_JWT_AUDIENCE',
    'SOLESEAT_LICENSE_MODE',
    'SOLESEAT_LEASE_TTL_MS',
    'SOLESEAT_RENEW_EVERY_MS',
    'SOLESEAT_JEOPARDY_GRACE_MS',
    'SOLESEAT_TAKEOVERS_PER_MINUTE',
    'SOLESEAT_CONNECTIONS_PER_ADDRESS',
    'SOLESEAT_HANDSHAKES_PER_SECOND',
    'SOLESEAT_WEBHOOKS_TO_PRIVATE',
  ])('the setting %s exists', (name) => {
    expect(read('base/settings.ts')).toContain(`'${name}'`);
  });

  it.each<readonly [string, string, readonly string[]]>([
    ['soleseat_admission_refusals_total', 'counter', ['limit']],
    ['soleseat_claim_denials_total', 'counter', ['reason']],
    ['soleseat_claim_duration_seconds', 'histogram', []],
    ['soleseat_claims_total', 'counter', ['outcome']],
    ['soleseat_closes_total', 'counter', ['code']],
    ['soleseat_connections', 'gauge', []],
    ['soleseat_eviction_latency_seconds', 'histogram', []],
    ['soleseat_eviction_receipt_seconds', 'histogram', []],
    ['soleseat_evictions_total', 'counter', ['reason', 'path']],
    ['soleseat_handshake_refusals_total', 'counter', ['status']],
    ['soleseat_jeopardies_total', 'counter', []],
    ['soleseat_licenses_active', 'gauge', ['org']],
    ['soleseat_licenses_active_peak', 'gauge', ['org']],
    ['soleseat_licenses_issued', 'gauge', ['org']],
    ['soleseat_licenses_quota', 'gauge', ['org']],
    ['soleseat_messages_received_bytes_total', 'counter', []],
    ['soleseat_messages_received_total', 'counter', ['type']],
    ['soleseat_messages_sent_bytes_total', 'counter', []],
    ['soleseat_messages_sent_total', 'counter', ['type']],
    ['soleseat_orgs_near_quota', 'gauge', []],
    ['soleseat_ping_round_trip_seconds', 'histogram', []],
    ['soleseat_pubsub_lag_seconds', 'histogram', []],
    ['soleseat_pubsub_probe_failures_total', 'counter', []],
    ['soleseat_ready', 'gauge', []],
    ['soleseat_redis_aof_enabled', 'gauge', ['address']],
    ['soleseat_redis_clock_steps_total', 'counter', []],
    ['soleseat_redis_command_duration_seconds', 'histogram', ['operation']],
    ['soleseat_redis_commands_processed_total', 'counter', ['address']],
    ['soleseat_redis_connected_clients', 'gauge', ['address']],
    ['soleseat_redis_connected_replicas', 'gauge', ['address']],
    ['soleseat_redis_database_keys', 'gauge', ['address']],
    ['soleseat_redis_down_cause', 'gauge', ['role', 'cause']],
    ['soleseat_redis_errors_total', 'counter', ['operation']],
    ['soleseat_redis_evicted_keys_total', 'counter', ['address']],
    ['soleseat_redis_eviction_policy_info', 'gauge', ['address', 'policy']],
    ['soleseat_redis_expired_keys_total', 'counter', ['address']],
    ['soleseat_redis_keys', 'gauge', ['kind']],
    ['soleseat_redis_last_save_timestamp_seconds', 'gauge', ['address']],
    ['soleseat_redis_memory_limit_bytes', 'gauge', ['address']],
    ['soleseat_redis_memory_used_bytes', 'gauge', ['address']],
    ['soleseat_redis_persistence_ok', 'gauge', ['address', 'file']],
    ['soleseat_redis_reconnects_total', 'counter', ['role']],
    ['soleseat_redis_replication_lag_bytes', 'gauge', ['address']],
    ['soleseat_redis_replication_lag_seconds', 'gauge', ['address']],
    ['soleseat_redis_script_errors_total', 'counter', ['operation']],
    ['soleseat_redis_server_up', 'gauge', ['address', 'role']],
    ['soleseat_redis_up', 'gauge', ['role']],
    ['soleseat_renewals_total', 'counter', ['outcome']],
    ['soleseat_sessions', 'gauge', []],
    ['soleseat_sessions_in_jeopardy', 'gauge', []],
    ['soleseat_slow_consumers_total', 'counter', []],
    ['soleseat_token_failures_total', 'counter', ['reason']],
    ['soleseat_traffic_oldest_seconds', 'gauge', ['org']],
    ['soleseat_webhook_deliveries_total', 'counter', ['outcome']],
    ['soleseat_webhook_events_waiting', 'gauge', []],
    ['soleseat_webhooks_parked', 'gauge', []],
  ])('the metric %s is a %s by %j', async (name, kind, labels) => {
    const { metricsTable } = await import('../src/base/metrics.js');
    const row = Object.values(metricsTable).find(([, one]) => one === name);
    expect(row === undefined ? null : [row[0], Object.keys(row[3])]).toEqual([kind, labels]);
  });

  it('subprotocol, path and exit codes', async () => {
    const messages = await import('../src/protocol/messages.js');
    expect([messages.SUBPROTOCOL, messages.TOKEN_SUBPROTOCOL_PREFIX, messages.CONNECT_PATH]).toEqual([
      'soleseat.v1',
      'soleseat.token.',
      '/v1/connect',
    ]);
    const { exitCodes } = await import('../src/cli/failure.js');
    expect(exitCodes).toEqual({
      ok: 0,
      failed: 1,
      usage: 2,
      unavailable: 69,
      refused: 77,
      config: 78,
      interrupted: 130,
    });
  });
});
