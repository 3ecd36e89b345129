import { describe, expect, it } from 'vitest';
import { isLoopback, parseRedisUrl, withoutPasswords } from '../../src/base/redis-url.js';

const at = (host: string, port: number) => ({ host, port });
const plain = { isEncrypted: false, credentials: {}, db: 0, family: 0, unusedOptions: 0 };

describe('REDIS_URL', () => {
  it.each([
    ['redis://127.0.0.1', { kind: 'single', ...plain, addresses: [at('127.0.0.1', 6379)] }],
    ['redis://[::1]:7000/', { kind: 'single', ...plain, addresses: [at('::1', 7000)] }],
    [
      'rediss://ada:p%40ss%2F@redis.example:6380/3',
      {
        kind: 'single',
        ...plain,
        isEncrypted: true,
        credentials: { username: 'ada', password: 'p@ss/' },
        db: 3,
        addresses: [at('redis.example', 6380)],
      },
    ],
    [
      'redis+cluster://:pass@a:7000,b:7001',
      {
        kind: 'cluster',
        ...plain,
        credentials: { password: 'pass' },
        addresses: [at('a', 7000), at('b', 7001)],
      },
    ],
    [
      'redis+sentinel://a,b:26380/main/2?sentinelUsername=s&sentinelPassword=x%26y',
      {
        kind: 'sentinel',
        ...plain,
        db: 2,
        addresses: [at('a', 26_379), at('b', 26_380)],
        masterName: 'main',
        sentinelCredentials: { username: 's', password: 'x&y' },
      },
    ],
    [
      'rediss+sentinel://[::1]:1/main',
      {
        kind: 'sentinel',
        ...plain,
        isEncrypted: true,
        addresses: [at('::1', 1)],
        masterName: 'main',
        sentinelCredentials: {},
      },
    ],
    [
      'redis://host?ssl_cert_reqs=none&protocol=3&timeout=5s',
      { kind: 'single', ...plain, addresses: [at('host', 6379)], unusedOptions: 3 },
    ],
    [
      'redis://host?ssl=True&db=2',
      { kind: 'single', ...plain, isEncrypted: true, db: 2, addresses: [at('host', 6379)] },
    ],
    [
      'redis://host/1?db=2&family=6',
      { kind: 'single', ...plain, db: 1, family: 6, addresses: [at('host', 6379)] },
    ],
    [
      'rediss://host?tls=false',
      { kind: 'single', ...plain, isEncrypted: true, addresses: [at('host', 6379)] },
    ],
    [
      'redis+sentinel://a/main?tls=true&replica=x',
      {
        kind: 'sentinel',
        ...plain,
        isEncrypted: true,
        unusedOptions: 1,
        addresses: [at('a', 26_379)],
        masterName: 'main',
        sentinelCredentials: {},
      },
    ],
  ])('%s is understood', (text, target) => {
    expect(parseRedisUrl(text)).toEqual(target);
  });

  it.each([
    ['hunter2', 'is not a URL'],
    ['http://hunter2', 'must begin with'],
    ['redis+proxy://hunter2', 'must begin with'],
    ['redis://:hunter2/x@host', 'malformed'],
    ['redis://:hunter2%@host', 'begins no escape'],
    ['redis://hunter2@host', 'user without a password'],
    ['redis://hunter2:0', 'not host:port'],
    ['redis://hunter2:65536', 'not host:port'],
    ['redis://', 'not host:port'],
    ['redis://a,hunter2', 'several addresses'],
    ['redis://host/hunter2', 'number of a database'],
    ['redis://host/1/hunter2', 'number of a database'],
    ['redis://host?password=hunter2', 'behind the ?'],
    ['redis://host?db=hunter2', 'number of a database'],
    ['redis+sentinel://hunter2:1,/main', 'not host:port'],
    ['redis+sentinel://hunter2:1', "master's name"],
    ['redis+sentinel://host/main/hunter2', 'number of a database'],
    ['redis+sentinel://host/main?sentinelUsername=hunter2', 'user without a password'],
    ['redis+cluster://hunter2/1', 'database 0 only'],
  ])('%s is refused with what is wrong, and never shown', (text, problem) => {
    expect(() => parseRedisUrl(text)).toThrow(problem);
    expect(() => parseRedisUrl(text)).not.toThrow('hunter2');
  });

  it.each([
    ['redis://ada:hunter2@host:1/2', 'redis://ada:***@host:1/2'],
    ['redis+cluster://:hun@ter2@a:1,b:2', 'redis+cluster://:***@a:1,b:2'],
    [
      'redis+sentinel://a:1,b:2/main?sentinelPassword=hunter2',
      'redis+sentinel://a:1,b:2/main?sentinelPassword=***',
    ],
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['hunter2', '(not a Redis URL)'],
    ['redis://:hunter2/x@host', '(not a Redis URL)'],
    ['redis://:hunter2?x@host', '(not a Redis URL)'],
    ['redis://host?db=3&tls=true&auth_pass=hunter2', 'redis://host?db=3&tls=true&auth_pass=***'],
    ['redis://host?hunter2', 'redis://host?***'],
    ['redis://a%40b:x%3Ahunter2@host', 'redis://a%40b:***@host'],
    ['redis://$&:hunter2@host', 'redis://$&:***@host'],
    ...[
      'redis://hunter2@host',
      'redis://:hunter2@',
      'redis://:hunter2@host:port',
      'redis://:hunter2@host:0',
      'redis://:hunter2@a,b',
      'redis://:hunter2%@host',
      'redis://:hunter2@host/x',
      'redis://:hun#hunter2@host',
      'redis:/:hunter2@host',
      'redis//:hunter2@host',
      ':hunter2@host',
      'REDIS://:hunter2@host',
      'http://:hunter2@host',
      'redis://host?password=hunter2',
      'redis://host?auth=hunter2',
      'redis://hunter2:x',
    ].map((malformed) => [malformed, '(not a Redis URL)']),
  ])('%s is shown as %s', (text, shown) => {
    expect(withoutPasswords(text)).toBe(shown);
  });

  it('knows what stays on this machine', () => {
    expect(['localhost', '127.0.0.1', '127.1.2.3', '::1'].every(isLoopback)).toBe(true);
    expect(['127.0.0.1.example', '10.0.0.1', 'redis', '::2'].some(isLoopback)).toBe(false);
  });
});
