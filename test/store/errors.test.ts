import { rmSync } from 'node:fs';
import { Redis, ReplyError } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provisionRedis } from '../../src/embedded/find-redis.js';
import { pickFreeClusterPort } from '../../src/embedded/redis-probe.js';
import { startRedis } from '../../src/embedded/redis-process.js';
import { type CauseKind, causeOf, causes, detailOf } from '../../src/store/causes.js';
import { reachStore, StoreDefect, StoreUnavailable } from '../../src/store/errors.js';
import { BadCursor } from '../../src/store/paging.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { testRedis, useRedis } from '../support/redis.js';
import { claimFor, issueTo, leaseFrom, ORG, requestFor, storeOn } from '../support/store.js';

const redis = useRedis();
let weak: Redis;
let store: Store;
beforeAll(async () => {
  await redis.client.call('ACL', 'SETUSER', 'weak', 'on', '>pass', '~*', '&*', '+@all');
  weak = new Redis(redis.url.replace('redis://', 'redis://weak:pass@'));
  store = storeOn(weak);
});
afterAll(() => weak.disconnect());

const config = (name: string, value: string) => redis.client.config('SET', name, value);
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('a claim that Redis refuses', () => {
  it.each<readonly [CauseKind, () => Promise<unknown>, () => Promise<unknown>]>([
    ['full', () => config('maxmemory', '1'), () => config('maxmemory', '0')],
    [
      'too_few_replicas',
      () => config('min-replicas-to-write', '2'),
      () => config('min-replicas-to-write', '0'),
    ],
    [
      'no_permission',
      () => redis.client.call('ACL', 'SETUSER', 'weak', '-zadd'),
      () => redis.client.call('ACL', 'SETUSER', 'weak', '+zadd'),
    ],
    [
      'no_permission',
      () => redis.client.call('ACL', 'SETUSER', 'weak', 'resetkeys', '~another'),
      () => redis.client.call('ACL', 'SETUSER', 'weak', '~*'),
    ],
    [
      'read_only',
      // The master is nobody, so that the data stay.
      () => redis.client.call('REPLICAOF', '127.0.0.1', '1'),
      () => redis.client.call('REPLICAOF', 'NO', 'ONE'),
    ],
    [
      'master_down',
      async () => {
        await config('replica-serve-stale-data', 'no');
        await redis.client.call('REPLICAOF', '127.0.0.1', '1');
      },
      async () => {
        await redis.client.call('REPLICAOF', 'NO', 'ONE');
        await config('replica-serve-stale-data', 'yes');
      },
    ],
  ])('is StoreUnavailable: %s', async (kind, begin, end) => {
    await begin();
    const error = await errorOf(claimFor(store, 'ann'));
    await end();
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect((error as StoreUnavailable).why.kind).toBe(kind);
  });

  it('is StoreUnavailable where Redis has no disk to write to', async () => {
    const full = await testRedis();
    const client = new Redis(full.url);
    await client.config('SET', 'save', '3600 1');
    const [, folder = ''] = (await client.config('GET', 'dir')) as string[];
    rmSync(folder, { recursive: true });
    await client.bgsave();
    await eventually(async () => (await client.info()).includes('rdb_last_bgsave_status:err'));
    const error = await errorOf(claimFor(storeOn(client), 'ann'));
    client.disconnect();
    await full.stop();
    expect(error).toMatchObject({ why: { kind: 'disk' }, isFull: false });
  });

  it('is StoreUnavailable where a cluster does not serve the slot', async () => {
    const { path } = await provisionRedis({ onProgress: () => {} });
    const port = await pickFreeClusterPort();
    const server = await startRedis({ binary: path, port, extraArgs: ['--cluster-enabled', 'yes'] });
    const client = new Redis(server.url);
    // A key of one slot: Valkey looks first whether keys are of several.
    const error = await errorOf(reachStore(() => client.set('key', 'value')));
    client.disconnect();
    await server.stop();
    expect(error).toMatchObject({ why: { kind: 'cluster_down' } });
  });

  it('is StoreUnavailable where a script holds Redis', async () => {
    await config('busy-reply-threshold', '50');
    const looping = new Redis(redis.url, { maxRetriesPerRequest: 0 });
    const killed = errorOf(looping.eval('while true do end', 0));
    await eventually(async () => String(await errorOf(redis.client.ping())).includes('BUSY'));
    const error = await errorOf(claimFor(store, 'ann'));
    await redis.client.call('SCRIPT', 'KILL');
    await killed;
    looping.disconnect();
    expect(error).toMatchObject({ why: { kind: 'busy' } });
  });
});

describe('data that cannot be used', () => {
  const keyOf = (name: string) => `soleseat:{${ORG}}:${name}`;

  it.each<readonly [string, string, string, () => Promise<unknown>]>([
    ['active is no sorted set', 'active', 'WRONGTYPE', () => claimFor(store, 'ann')],
    ['counters are no hash', 'counters', 'WRONGTYPE', () => claimFor(store, 'ann')],
    ['a license is no hash', 'license:ann', 'WRONGTYPE', () => store.licenses.get(ORG, 'ann')],
    ['the index of licenses is no sorted set', 'licensed', 'WRONGTYPE', () => issueTo(store, 'ann')],
    ['a lease is none', 'lease:ann', 'user_script', () => claimFor(store, 'ann')],
  ])('is a defect with its cause, and Redis is not to blame: %s', async (_, key, says, act) => {
    await redis.client.flushall();
    await redis.client.set(keyOf(key), 'of no form at all');
    const error = await errorOf(act());
    await redis.client.flushall();
    expect(error).toBeInstanceOf(StoreDefect);
    expect(String(error)).toContain(says);
    expect((error as StoreDefect).cause).toBeInstanceOf(Error);
    expect(causeOf(error)).toBeNull();
  });

  it('is a defect of that one lease where a holder cannot be read, and not of its batch', async () => {
    const requests = ['ann', 'bob'].map((user) => requestFor(user, { id: 'desk' }));
    const held = await Promise.all(
      requests.map(async (request) => leaseFrom(request, await store.leases.claim(request))),
    );
    await redis.client.set(keyOf('lease:ann'), 'sid:99999999999999999:n1:1:{"id":');
    const answers = await store.leases.renew(ORG, held);
    expect(answers).toMatchObject([
      { outcome: 'failed', cause: expect.any(SyntaxError) },
      { outcome: 'kept' },
    ]);
  });

  it('leaves a bad cursor what it is', async () => {
    const error = await errorOf(store.licenses.page(ORG, { revoked: false }, 'no cursor', 10));
    expect(error).toBeInstanceOf(BadCursor);
  });
});

const reply = (text: string) => new ReplyError(text);
const failure = (code: string, text = `connect ${code} 127.0.0.1:6379`) =>
  Object.assign(new Error(text), { code, syscall: 'connect' });

describe('the table of causes', () => {
  // What cannot be brought about on one machine, or only by other versions: as these word it.
  it.each<readonly [CauseKind, Error]>([
    ['dns', failure('ENOTFOUND', 'getaddrinfo ENOTFOUND redis.example')],
    ['dns', failure('EAI_AGAIN', 'getaddrinfo EAI_AGAIN redis.example')],
    ['no_route', failure('EHOSTUNREACH')],
    ['timeout', failure('ETIMEDOUT', 'connect ETIMEDOUT')],
    ['timeout', new Error("Socket timeout. Expecting data, but didn't receive any in 1800ms.")],
    [
      'timeout',
      Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR' }),
    ],
    ['certificate', Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })],
    [
      'certificate',
      Object.assign(new Error("Hostname/IP does not match certificate's altnames"), {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      }),
    ],
    [
      'certificate',
      Object.assign(new Error('tlsv13 alert certificate required'), {
        code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      }),
    ],
    ['not_redis', Object.assign(new Error('wrong version number'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' })],
    ['not_redis', new Error('Unknown RESP type 72 "H"')],
    ['protected_mode', new Error('DENIED Redis is running in protected mode because …')],
    ['wrong_password', reply('NOAUTH Authentication required.')],
    [
      'wrong_password',
      new Error(
        'All sentinels are unreachable. Retrying from scratch after 9ms. Last error: WRONGPASS invalid username-password pair or user is disabled.',
      ),
    ],
    ['no_master', new Error('no Sentinel tells where the master is: ERR No such master with that name')],
    ['wrong_topology', reply('MOVED 866 127.0.0.1:7001')],
    [
      'cluster_down',
      new Error('Too many Cluster redirections. Last error: ReplyError: MOVED 866 127.0.0.1:7001'),
    ],
    ['cluster_down', reply('CLUSTERDOWN The cluster is down')],
    ['cluster_down', reply('TRYAGAIN Multiple keys request during rehashing of slot')],
    ['refused', new AggregateError([failure('ECONNREFUSED')], '')],
    [
      'refused',
      Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError: failure('ECONNREFUSED') }),
    ],
    ['lost', new Error('Failed to refresh slots cache.')],
    ['lost', new Error('Connection is closed.')],
    ['lost', new Error("Stream isn't writeable and enableOfflineQueue options is false")],
    ['lost', failure('ECONNRESET', 'read ECONNRESET')],
    ['lost', failure('EWHATEVER')],
    ['late', reply('LATE 1764433041000')],
    ['busy', reply('UNKILLABLE Sorry the script already executed write commands against the dataset.')],
    // Redis 6.2, from a script.
    [
      'full',
      reply(
        "ERR Error running script (call to f_1): @user_script:9: -OOM command not allowed when used memory > 'maxmemory'.",
      ),
    ],
    [
      'no_permission',
      reply('ERR ACL failure in script: No permissions to access a key script: f_1, on @user_script:1.'),
    ],
    [
      'no_permission',
      reply(
        "ERR Error running script (call to f_1): @user_script:9: The user executing the script can't run this command or subcommand",
      ),
    ],
  ])('%s is the cause of %s', (kind, error) => {
    expect(causeOf(error)?.kind).toBe(kind);
    expect(detailOf(error)).not.toBe('');
  });

  it.each([
    reply('WRONGTYPE Operation against a key holding the wrong kind of value'),
    reply('ERR user_script:12: attempt to compare number with nil script: f_1, on @user_script:12.'),
    reply("CROSSSLOT Keys in request don't hash to the same slot"),
    reply("ERR unknown command 'evalsha'"),
    new SyntaxError('Unexpected token in JSON: "OOM READONLY ECONNREFUSED"'),
    new TypeError("Cannot read properties of undefined (reading 'timeout')"),
    new Error('renew answered out of form'),
    'no error at all',
  ])('has none for %s, which is a defect', async (error) => {
    expect(causeOf(error)).toBeNull();
    expect(await errorOf(reachStore(() => Promise.reject(error)))).toBeInstanceOf(StoreDefect);
  });

  it('asks whether Redis is running only where it may not be', () => {
    const asking = causes.filter(({ next }) => next.includes('Is Redis running'));
    expect(asking.map(({ kind }) => kind)).toEqual(['refused', 'timeout']);
  });

  it('has a row of its own for each kind, and names nothing secret in it', () => {
    expect(new Set(causes.map(({ kind }) => kind)).size).toBe(causes.length);
    for (const { says } of causes) expect(says).toMatch(/^Redis /);
  });
});
