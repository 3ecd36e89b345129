import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/** How many seconds the files took that take long, two at a time on two cores. Guesses will do. */
export const SECONDS: Readonly<Record<string, number>> = {
  'chaos/chaos.test.ts': 81,
  'console/outages.test.ts': 67,
  'console/console.test.ts': 55,
  'kit/right-clients.test.ts': 54,
  'kit/wrong-clients.test.ts': 45,
  'flows/drain.test.ts': 39,
  'flows/nothing-lost.test.ts': 34,
  'flows/races.test.ts': 29,
  'cli/desk-answers.test.ts': 28,
  'clients/story-wrong.test.ts': 28,
  'clients/story.test.ts': 27,
  'flows/storms.test.ts': 27,
  'gateway/handshake.test.ts': 25,
  'flows/nodes.test.ts': 23,
  'flows/outages.test.ts': 22,
  'metrics/metrics.test.ts': 21,
  'examples/electron.test.ts': 20,
  'console/pages.test.ts': 21,
  'deploy/watching.test.ts': 19,
  'cli/desk.test.ts': 18,
  'flows/cluster.test.ts': 18,
  'console/large-orgs.test.ts': 17,
  'cli/config.test.ts': 16,
  'gateway/frames.test.ts': 14,
  'flows/sentinel.test.ts': 14,
  'cli/serve.test.ts': 13,
  'console/keyboard.test.ts': 12,
  'cli/doctor.test.ts': 11,
  'flows/revoke.test.ts': 10,
  'flows/tokens.test.ts': 10,
  'license/import.test.ts': 9,
  'flows/tracing.test.ts': 9,
  'flows/data-loss.test.ts': 9,
  'deploy/dockerfile.test.ts': 8,
};

/**
 * Begins with the files that take longest, so that the workers end together: a file that takes a minute, begun last,
 * would keep one of them busy for that minute while the others have nothing to do. A clean clone has no durations of
 * runs before, by which Vitest would sort.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => secondsOf(b.moduleId) - secondsOf(a.moduleId));
  }
}

/** 0 for a file that takes a few seconds at most. */
export function secondsOf(path: string): number {
  return SECONDS[relative(root, path).replaceAll('\\', '/')] ?? 0;
}
