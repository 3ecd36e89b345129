import { describe, expect, it } from 'vitest';
import { readOrigin } from '../../src/base/origin.js';
import { peerAddress } from '../../src/base/peer-address.js';

const proxies = ['10.0.0.0/8', 'loopback'];
const from = (
  remoteAddress: string,
  value: string | undefined,
  forwardedHeader = 'x-forwarded-for',
  trusted = proxies,
) =>
  peerAddress({ trustedProxies: trusted, forwardedHeader })?.({
    socket: { remoteAddress },
    headers: {
      [forwardedHeader]: value,
      ...(forwardedHeader !== 'x-forwarded-for' && { 'x-forwarded-for': '6.6.6.6' }),
    },
  });

describe('where a request comes from', () => {
  it.each([
    ['one proxy', '10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['a chain of proxies', '10.0.0.1', '192.0.2.7, 10.0.0.2', '192.0.2.7'],
    ['a lie before the true one', '10.0.0.1', '6.6.6.6, 192.0.2.7', '192.0.2.7'],
    ['nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['proxies alone', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['an address with a port', '10.0.0.1', '192.0.2.7:49152', '192.0.2.7'],
    ['IPv6', '::1', '2001:db8::7', '2001:db8::7'],
    ['IPv6 with a port', '::1', '[2001:db8::7]:49152', '2001:db8::7'],
    ['an IPv4 peer on a socket of both', '::ffff:10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['nonsense', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['nonsense before an address', '10.0.0.1', '6.6.6.6, unknown, 192.0.2.7', '192.0.2.7'],
    ['nonsense after an address', '10.0.0.1', '192.0.2.7, _hidden', '10.0.0.1'],
    ['somebody who is no proxy', '192.0.2.9', '6.6.6.6', '192.0.2.9'],
  ])('by %s', (_, peer, header, address) => {
    expect(from(peer, header)).toBe(address);
  });

  it.each([
    ['for=192.0.2.7', '192.0.2.7'],
    ['For="[2001:db8::7]:4711";proto=https', '2001:db8::7'],
    ['by=10.0.0.1;for=192.0.2.7, for=10.0.0.2', '192.0.2.7'],
    ['for=_hidden', '10.0.0.1'],
    ['for=9.9.9.9;host="a,for=1.2.3.4"', '9.9.9.9'],
    ['host="x;for=1.2.3.4";for=9.9.9.9', '9.9.9.9'],
    ['for=9.9.9.9;host="a,for=1.2.3.4', '10.0.0.1'],
    ['proto=https', '10.0.0.1'],
  ])('by Forwarded: %s, and then by no other header', (header, address) => {
    expect(from('10.0.0.1', header, 'forwarded')).toBe(address);
  });

  it('by X-Real-IP, where that is the one', () => {
    expect(from('10.0.0.1', '192.0.2.7', 'x-real-ip')).toBe('192.0.2.7');
  });

  it('is the peer where no proxy is trusted', () => {
    expect(peerAddress({ trustedProxies: [], forwardedHeader: 'x-forwarded-for' })).toBeNull();
  });
});

describe('an origin', () => {
  it.each([
    ['https://App.Example.com/', 'https://app.example.com'],
    ['https://app.example.com:443', 'https://app.example.com'],
    ['http://app.example.com:8080', 'http://app.example.com:8080'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['app://Desktop', 'app://desktop'],
    ['tauri://localhost', 'tauri://localhost'],
    ['null', 'null'],
  ])('%s is %s', (text, origin) => {
    expect(readOrigin(text)).toBe(origin);
  });

  it.each([
    '*',
    'app.example.com',
    'https://*.example.com',
    'https://a.example/path',
    'https://a.example?x',
    'https://u@a.example',
    'https://',
  ])('that could match nothing is refused: %s', (text) => {
    expect(() => readOrigin(text)).toThrow('must list origins');
  });
});
