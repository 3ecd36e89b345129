import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Two cores: a third file at a time makes real processes so slow that tests about time fail.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // What is waited for is polled without a limit of its own: patience for a machine that does much else.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
