import { defineConfig } from 'vitest/config';
import { LongestFirst, WAITING } from './test/support/longest-first.js';

// Nodes of tests are set up by their tests alone, whatever the person at this computer has set for a broker of their own.
for (const name of Object.keys(process.env)) {
  if (name === 'REDIS_URL' || name.startsWith('SOLESEAT_')) delete process.env[name];
}
// `npm run test:matrix` runs the same tests with another server.
const { TESTS_REDIS } = process.env;
if (TESTS_REDIS) process.env.SOLESEAT_REDIS_SERVER = TESTS_REDIS;

/** What `npm test` leaves out: `npm run test:all` runs it. */
const leftOut = process.env.TESTS === 'all' ? [] : ['test/**/*.all.test.ts'];

/** Units, and stores on a real Redis: under 90 seconds, for whoever has a hand in the code. */
const quick = ['auth', 'base', 'license', 'outbox', 'protocol', 'session', 'store'].map(
  (part) => `test/${part}/**/*.test.ts`,
);

const waiting = WAITING.map((file) => `test/${file}`);

export default defineConfig({
  test: {
    pool: 'forks',
    // Two cores: a third file at a time makes real processes so slow that tests about time fail.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // What is waited for is polled without a limit of its own: patience for a machine that does much else.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    projects: [
      { extends: true, test: { name: 'quick', include: ['test/*.test.ts', ...quick], exclude: leftOut } },
      {
        extends: true,
        test: {
          name: 'flows',
          include: ['test/**/*.test.ts'],
          exclude: ['test/*.test.ts', ...quick, ...waiting, ...leftOut],
        },
      },
      // After all others: the third and the fourth file at a time would make those slow.
      {
        extends: true,
        test: {
          name: 'waiting',
          include: waiting,
          maxWorkers: 4,
          sequence: { sequencer: LongestFirst, groupOrder: 1 },
        },
      },
    ],
  },
});
