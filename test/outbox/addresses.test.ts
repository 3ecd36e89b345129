import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../src/outbox/addresses.js';
import { urlFault } from '../../src/outbox/url-fault.js';

describe('an address', () => {
  it.each(['8.8.8.8', '1.1.1.1', '203.0.112.1', '2001:4860:4860::8888', '::ffff:8.8.8.8'])(
    '%s is public',
    (one) => {
      expect(isPublicAddress(one)).toBe(true);
    },
  );

  it.each([
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...[
      '169.254.169.254',
      '100.64.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '240.0.0.1',
      '192.0.2.1',
      '198.18.0.1',
    ],
    ...['::1', '::', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd12:3456::1', 'ff02::1', '2001:db8::1'],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:10.0.0.1',
      '::ffff:7f00:1',
      '::127.0.0.1',
      '64:ff9b::a00:1',
      '2002:a00:1::',
    ],
    ...['2001::1', '64:ff9b:1::1', 'not an address', ''],
  ])('%s is not public', (one) => {
    expect(isPublicAddress(one)).toBe(false);
  });
});

describe('the URL of a webhook', () => {
  it.each(['https://example.com/hooks', 'https://8.8.8.8/', 'https://[2001:4860:4860::8888]/x?y=z'])(
    '%s is accepted',
    (url) => {
      expect(urlFault(url, false)).toBeNull();
    },
  );

  it.each([
    ['example.com', 'must be a URL'],
    ['http://example.com/', 'https://'],
    ['ftp://example.com/', 'https://'],
    ['javascript:alert(1)', 'https://'],
    ['https://user:secret@example.com/', 'no user and password'],
    ['https://127.0.0.1/', 'no public address'],
    ['https://0x7f.1/', 'no public address'],
    ['https://2130706433/', 'no public address'],
    ['https://[::1]/', 'no public address'],
    ['https://[::ffff:10.0.0.1]/', 'no public address'],
    ['https://169.254.169.254/latest/meta-data', 'SOLESEAT_WEBHOOKS_TO_PRIVATE'],
  ])('%s is refused: %s', (url, words) => {
    expect(urlFault(url, false)).toContain(words);
  });

  it('may lead anywhere, without TLS too, where a setting says so', () => {
    for (const url of ['http://127.0.0.1:9/', 'https://10.0.0.1/', 'http://localhost/']) {
      expect(urlFault(url, true)).toBeNull();
    }
    expect(urlFault('ftp://127.0.0.1/', true)).not.toBeNull();
  });
});
