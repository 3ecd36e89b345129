import { beforeEach, describe, expect, it } from 'vitest';
import { addressOf } from '../../src/base/address.js';
import { Doorkeeper } from '../../src/gateway/doorkeeper.js';

const limits = {
  connectionsPerAddress: 10,
  handshakesPerAddress: 3,
  handshakesPerAddressSecond: 0,
  handshakesPerSecond: 0,
};
let nowMs: number;
let door: Doorkeeper;

beforeEach(() => {
  nowMs = 1000;
  door = new Doorkeeper(limits, () => nowMs);
});

const statusOf = (address: string) => door.attempted(address)?.status ?? 101;

describe('attempts from one address (promise 11)', () => {
  it('are refused past the limit until the minute is over, and others are not', () => {
    expect([1, 2, 3, 4, 5].map(() => statusOf('10.0.0.1'))).toEqual([101, 101, 101, 429, 429]);
    expect(statusOf('10.0.0.2')).toBe(101);
    nowMs += 45_500;
    expect(door.attempted('10.0.0.1')?.headers).toEqual({ 'Retry-After': '15' });
    nowMs += 14_500;
    expect(statusOf('10.0.0.1')).toBe(101);
  });

  it('are remembered of so many addresses a minute, and no more', () => {
    for (let i = 0; i < 100_000; i++) door.attempted(`first ${i}`);
    expect([1, 2, 3, 4].map(() => statusOf('one more'))).toEqual([101, 101, 101, 101]);
    expect([2, 3, 4].map(() => statusOf('first 7'))).toEqual([101, 101, 429]);
    nowMs += 60_000;
    expect([1, 2, 3, 4].map(() => statusOf('one more'))).toEqual([101, 101, 101, 429]);
  });

  it('are refused past the limit of a second, too', () => {
    door = new Doorkeeper(
      { ...limits, handshakesPerAddress: 1000, handshakesPerAddressSecond: 2 },
      () => nowMs,
    );
    expect([1, 2, 3].map(() => statusOf('10.0.0.1'))).toEqual([101, 101, 429]);
    expect(door.attempted('10.0.0.1')?.headers).toEqual({ 'Retry-After': '1' });
    expect(statusOf('10.0.0.2')).toBe(101);
    nowMs += 1000;
    expect([1, 2, 3].map(() => statusOf('10.0.0.1'))).toEqual([101, 101, 429]);
  });

  it.each([
    { ...limits, handshakesPerAddress: 0 },
    { ...limits, connectionsPerAddress: 0 },
  ])('are as many as come with %o', (open) => {
    door = new Doorkeeper(open, () => nowMs);
    for (let i = 0; i < 100; i++) expect(statusOf('10.0.0.1')).toBe(101);
  });
});

describe('connections of one address without an accepted token', () => {
  it('are refused from the six hundred and first in a minute, and those with one are not', () => {
    for (let i = 0; i < 599; i++) door.sawStranger('10.0.0.1');
    expect(door.judge('10.0.0.1', false)).toBeNull();
    door.sawStranger('10.0.0.1');
    expect(door.judge('10.0.0.1', false)).toMatchObject({ status: 429, limit: 'strangers' });
    expect(door.judge('10.0.0.1', true)).toBeNull();
    expect(door.judge('10.0.0.2', false)).toBeNull();
    nowMs += 60_000;
    expect(door.judge('10.0.0.1', false)).toBeNull();
  });
});

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%s counts as %s', (remote, counted) => {
    expect(addressOf(remote)).toBe(counted);
  });
});
