import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TokenRefresh } from '../../packages/client/src/token-refresh.js';

const fetch = vi.fn<() => Promise<string | Error>>();
const send = vi.fn<(token: string) => void>();
let refresh: TokenRefresh;

beforeEach(() => {
  vi.useFakeTimers();
  fetch.mockReset().mockResolvedValue('new');
  send.mockReset();
  refresh = new TokenRefresh({ fetch, send, backoff: { firstMs: 100, maxMs: 1_000 }, random: () => 1 });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('a token refresh', () => {
  it('is made at once', async () => {
    refresh.begin();
    await pass(0);
    expect(send.mock.calls).toEqual([['new']]);
  });

  it('is one, however often the broker warns meanwhile', async () => {
    let found = (_: string) => {};
    fetch.mockImplementation(() => new Promise((resolve) => (found = resolve)));
    refresh.begin();
    await pass(0);
    refresh.begin();
    await pass(20_000);
    found('late');
    await pass(20_000);
    expect([fetch.mock.calls.length, send.mock.calls]).toEqual([1, [['late']]]);
  });

  it('comes every five seconds at most, where the broker warns after each', async () => {
    send.mockImplementation(() => refresh.begin());
    refresh.begin();
    await pass(60_500);
    expect(fetch).toHaveBeenCalledTimes(13);
  });

  it('is tried until there is a token, with waits that grow', async () => {
    fetch.mockResolvedValueOnce(new Error('none')).mockResolvedValueOnce(new Error('none'));
    refresh.begin();
    await pass(100);
    expect(fetch).toHaveBeenCalledTimes(2);
    await pass(199);
    expect(fetch).toHaveBeenCalledTimes(2);
    await pass(1);
    expect(send.mock.calls).toEqual([['new']]);
  });

  it('ends with its connection, and does not hold up that of the next', async () => {
    let found = (_: string) => {};
    fetch.mockImplementationOnce(() => new Promise((resolve) => (found = resolve)));
    refresh.begin();
    await pass(0);
    refresh.stop();
    refresh.begin();
    found('stale');
    await pass(0);
    expect(send.mock.calls).toEqual([['new']]);
  });

  it('does not come where the connection ended before', async () => {
    fetch.mockResolvedValueOnce(new Error('none'));
    refresh.begin();
    await pass(0);
    refresh.stop();
    await pass(10_000);
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});
