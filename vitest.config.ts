import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // On two cores: tests wait a third of their time, which a third file at a time fills. More would slow each other.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // What is waited for is polled without a limit of its own: patience for a machine that does much else.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
