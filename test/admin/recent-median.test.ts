import { beforeEach, describe, expect, it } from 'vitest';
import { RecentMedian } from '../../src/admin/recent-median.js';
import { createMetrics, type Metrics } from '../../src/base/metrics.js';

const WINDOW_MS = 300_000;
let histogram: Metrics['evictionSeconds'];
let median: RecentMedian;

beforeEach(() => {
  histogram = createMetrics().evictionSeconds;
  median = new RecentMedian(histogram, WINDOW_MS, 900, 0);
});

const see = (seconds: number, times = 1) => {
  for (let time = 0; time < times; time += 1) histogram.observe(seconds);
};

describe('a recent median', () => {
  it('is none before anything was seen', async () => {
    expect(await median.at(1000)).toBeNull();
  });

  it('is the bound that half of what was seen does not exceed', async () => {
    see(0.004, 3);
    see(0.4, 2);
    expect(await median.at(1000)).toEqual({ medianMs: 5, isOver: false });
    see(0.4, 2);
    expect(await median.at(1000)).toEqual({ medianMs: 500, isOver: false });
  });

  it('forgets what is older than the window', async () => {
    see(2, 100);
    expect(await median.at(1000)).toEqual({ medianMs: 2500, isOver: false });
    expect(await median.at(WINDOW_MS)).toEqual({ medianMs: 2500, isOver: false });
    see(0.004);
    expect(await median.at(WINDOW_MS + 500)).toEqual({ medianMs: 5, isOver: false });
    expect(await median.at(2 * WINDOW_MS + 501)).toBeNull();
  });

  it('says so when half took longer than the last bound', async () => {
    see(60, 2);
    see(0.001);
    expect(await median.at(1000)).toEqual({ medianMs: 2500, isOver: true });
  });
});
