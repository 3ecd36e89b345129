import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { fuzz } from '../../fuzz/run.js';
import { LEASE_TTL_MS } from '../../fuzz/stage.js';

const root = resolve(import.meta.dirname, '..', '..');

it('ten seconds of random frames, messages and HTTP harm neither the broker nor people at work', async () => {
  const { faults, cases, longestGapMs, leftBytes } = await fuzz({ root, seed: 1, durationMs: 10_000 });
  expect(faults).toEqual([]);
  for (const count of Object.values(cases)) expect(count).toBeGreaterThan(0);
  expect(longestGapMs).toBeLessThan(LEASE_TTL_MS / 2);
  expect(leftBytes.end).toBeGreaterThan(0);
});
