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
    const { KeyNames } = await import('../src/store/keys.js');
    const keys = new KeyNames('soleseat:');
    expect(keys.lease('acme', 'ada')).toBe('soleseat:{acme}:lease:ada');
    expect(keys.epoch('acme')).toBe('soleseat:{acme}:epoch');
    expect(keys.active('acme')).toBe('soleseat:{acme}:active');
    expect(keys.license('acme', 'ada')).toBe('soleseat:{acme}:license:ada');
    expect(keys.licensed('acme')).toBe('soleseat:{acme}:licensed');
    expect(keys.counters('acme')).toBe('soleseat:{acme}:counters');
    expect(keys.events('acme')).toBe('soleseat:{acme}:events');
    expect(keys.machines('acme', 'ada')).toBe('soleseat:{acme}:machines:ada');
    expect(keys.settings('acme')).toBe('soleseat:{acme}:settings');
    expect([keys.orgs, keys.nodes, keys.channelPrefix]).toEqual([
      'soleseat:orgs',
      'soleseat:nodes',
      'soleseat:node:',
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
  ])('the setting %s exists', (name) => {
    expect(read('base/settings.ts')).toContain(`'${name}'`);
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
