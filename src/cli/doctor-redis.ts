import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { createLog } from '../base/log.js';
import { createMetrics } from '../base/metrics.js';
import { parseRedisUrl } from '../base/redis-url.js';
import { openRedis } from '../compose/redis.js';
import { causeOf, detailOf } from '../store/causes.js';
import { type KeyNames, keyNames } from '../store/keys.js';
import { isWithheld } from '../store/no-info.js';
import { connectRedis, type RedisConnection, redisNodes } from '../store/redis.js';
import type { Configuration } from './configuration.js';
import type { Finding } from './doctor-finding.js';

const PINGS = 50;
/** A clock that is off by more makes the times of the audit trail hard to follow. */
const CLOCK_OFF_MS = 1000;
/** Far more than NTP leaves: the ends of tokens would be judged by it. */
const CLOCK_WRONG_MS = 5000;

/** What Redis is like, seen with the broker's own connection. */
export async function redisFindings({
  settings,
  redisTls,
}: Pick<Configuration, 'settings' | 'redisTls'>): Promise<{
  readonly isReached: boolean;
  readonly findings: readonly Finding[];
}> {
  const parts = { log: createLog('silent', 'doctor'), metrics: createMetrics() };
  const { commands, subscriber: inbox } = openRedis(settings, redisTls, parts);
  try {
    await connectRedis(commands);
  } catch (error) {
    commands.disconnect();
    return { isReached: false, findings: [refused('a connection', error)] };
  }
  try {
    const masters = redisNodes(commands).filter(({ role }) => role === 'master');
    const servers = await Promise.all(
      masters.flatMap(({ redis, address }) => [
        look(`${address}: INFO`, () => serverFindings(redis, address)),
        look(`${address}: TIME`, () => clock(redis, address)),
      ]),
    );
    const findings = [
      ...unusedOptions(settings.redisUrl),
      ...servers.flat(),
      ...(await look('PING', () => latency(commands, settings.commandTimeoutMs))),
      ...(await look('a script that writes', () => rights(commands, inbox, keyNames(settings.keyPrefix)))),
    ];
    return { isReached: true, findings };
  } finally {
    commands.disconnect();
    inbox.disconnect();
  }
}

/** What stands behind `?` in REDIS_URL for the libraries of others: nothing hangs on it here, and somebody may think so. */
function unusedOptions(redisUrl: string): Finding[] {
  const { unusedOptions: count } = parseRedisUrl(redisUrl);
  if (count === 0) return [];
  const advice =
    'Certificates are verified whatever they say: SOLESEAT_REDIS_TLS_CA names a private authority.';
  return [
    { level: 'warning', what: `REDIS_URL has ${count} options behind ? that are not used here`, advice },
  ];
}

/** One look at Redis. Where Redis refuses it, that is a finding like others, and what it means is told. */
async function look(what: string, find: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await find();
  } catch (error) {
    return [refused(what, error)];
  }
}

function refused(what: string, error: unknown): Finding {
  const cause = causeOf(error);
  const says = cause?.says ?? `Redis does not do this (${what})`;
  return {
    level: 'bad',
    what: `${says}: ${detailOf(error)}`,
    advice: cause?.next ?? 'The log of Redis may say more.',
  };
}

async function serverFindings(redis: Redis, address: string): Promise<Finding[]> {
  const info = await redis.info().catch((error: unknown) => {
    // A right that is missing is mended by the operator, and told so.
    if (isWithheld(error) && causeOf(error)?.kind !== 'no_permission') return null;
    throw error;
  });
  if (info === null) {
    const what = `${address}: the service keeps INFO to itself, so that its version and settings are not seen`;
    const advice =
      'After a failover that loses grants, epochs rise by the clock alone: see to it that noeviction and the append-only file are on.';
    return [{ level: 'warning', what, advice }];
  }
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return [
    version(address, field('redis_version')),
    finding(
      field('maxmemory_policy') === 'noeviction',
      `${address}: maxmemory-policy is ${field('maxmemory_policy')}`,
      'Set it to noeviction: with another, Redis may throw leases and licenses away.',
    ),
    finding(
      field('aof_enabled') === '1',
      `${address}: append-only file ${field('aof_enabled') === '1' ? 'on' : 'off'}`,
      'Set appendonly yes: without it, a restart of Redis loses licenses and counters.',
    ),
    finding(
      field('maxmemory') !== '0',
      `${address}: memory ${field('used_memory_human')} of ${field('maxmemory') === '0' ? 'no limit' : field('maxmemory_human')}`,
      'Set maxmemory below the memory of the machine: the system may kill a Redis without limit.',
    ),
    finding(
      Number(field('connected_slaves')) > 0,
      `${address}: ${field('connected_slaves')} replicas`,
      'A replica, with Sentinel or in a cluster, takes over when this server is lost.',
    ),
  ];
}

async function clock(redis: Redis, address: string): Promise<Finding[]> {
  const before = Date.now();
  const [seconds = 0, micros = 0] = await redis.time();
  const hereMs = (before + Date.now()) / 2;
  const offMs = Math.round(Math.abs(Number(seconds) * 1000 + Number(micros) / 1000 - hereMs));
  const what = `${address}: its clock and this machine’s differ by ${offMs} ms`;
  if (offMs <= CLOCK_OFF_MS) return [{ level: 'good', what }];
  if (offMs <= CLOCK_WRONG_MS) {
    const advice = 'Let both follow NTP. Leases do not hang on it; the times that people read do.';
    return [{ level: 'warning', what, advice }];
  }
  const advice = 'Let both follow NTP: a node that starts now measures the ends of tokens by Redis’s clock.';
  return [{ level: 'bad', what, advice }];
}

function version(address: string, text: string): Finding {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  const what = `${address}: Redis ${text}`;
  if (major > 6 || (major === 6 && minor >= 2)) return { level: 'good', what };
  return { level: 'bad', what, advice: 'Soleseat needs 6.2 or newer.' };
}

function finding(isGood: boolean, what: string, advice: string): Finding {
  return isGood ? { level: 'good', what } : { level: 'warning', what, advice };
}

async function latency(redis: RedisConnection, commandTimeoutMs: number): Promise<Finding[]> {
  const times: number[] = [];
  for (let i = 0; i < PINGS; i += 1) {
    const start = performance.now();
    await redis.ping();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const [half = 0, worst = 0] = [times[PINGS / 2], times[PINGS - 1]];
  const what = `round trip ${half.toFixed(1)} ms, at worst ${worst.toFixed(1)} ms of ${PINGS}`;
  const advice = `A takeover takes at least one; SOLESEAT_COMMAND_TIMEOUT_MS is ${commandTimeoutMs}. Bring broker and Redis closer.`;
  return [finding(worst < commandTimeoutMs / 10, what, advice)];
}

/** Whether this user may do what the broker does: scripts, its keys, and its channels. */
async function rights(commands: RedisConnection, inbox: Redis, keys: KeyNames): Promise<Finding[]> {
  const org = `doctor-${randomUUID()}`;
  const channel = keys.channelPrefix + org;
  const key = keys.lease(org, 'nobody');
  const script =
    "redis.call('SET', KEYS[1], '1', 'PX', 1000); redis.call('PUBLISH', ARGV[1], '1'); return redis.call('DEL', KEYS[1])";
  await inbox.connect();
  await inbox.subscribe(channel);
  await commands.eval(script, 1, key, channel);
  return [{ level: 'good', what: 'this user may run scripts, write the keys and use the channels' }];
}
