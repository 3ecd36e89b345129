import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/** How many seconds the files took that take long, on two cores. Guesses will do. */
export const SECONDS: Readonly<Record<string, number>> = {
  'console/outages.test.ts': 64,
  'chaos/chaos.test.ts': 62,
  'flows/lease-age.test.ts': 61,
  'clients/java.test.ts': 54,
  'kit/right-clients.test.ts': 52,
  'rules/share.test.ts': 41,
  'clients/java-kit.test.ts': 40,
  'console/console.test.ts': 38,
  'flows/identity.test.ts': 34,
  'flows/workers.test.ts': 34,
  'gateway/handshake.test.ts': 34,
  'rules/ask.test.ts': 33,
  'flows/outage-causes.test.ts': 32,
  'flows/nothing-lost.test.ts': 31,
  'clients/python.test.ts': 30,
  'flows/growth.test.ts': 29,
  'cli/redis-services.test.ts': 28,
  'rules/leave-places.test.ts': 28,
  'cli/nodes.test.ts': 27,
  'outbox/deliveries.test.ts': 27,
  'cli/desk.test.ts': 26,
  'cli/renewal.test.ts': 26,
  'metrics/metrics.test.ts': 26,
  'kit/wrong-clients.test.ts': 23,
  'clients/python-kit.test.ts': 22,
  'console/right.test.ts': 22,
  'fuzz/fuzz.test.ts': 22,
  'clients/story.test.ts': 21,
  'flows/outages.test.ts': 21,
  'rules/idle.test.ts': 21,
  'flows/announced-names.test.ts': 20,
  'deploy/image.test.ts': 19,
  'console/pages.test.ts': 18,
  'flows/reigns.test.ts': 18,
  'console/act.test.ts': 17,
  'flows/shares.test.ts': 17,
  'flows/drain.test.ts': 16,
  'flows/storms.test.ts': 16,
  'flows/workers-settings.test.ts': 16,
  'gateway/frames.test.ts': 16,
  'flows/cluster.test.ts': 15,
  'flows/standstill.test.ts': 15,
  'cli/config.test.ts': 14,
  'cli/redis-causes.test.ts': 14,
  'cli/wrong-calls.test.ts': 14,
  'client/lease-events.test.ts': 14,
  'deploy/watching.test.ts': 14,
  'flows/tokens.test.ts': 14,
  'console/days.test.ts': 13,
  'flows/races.test.ts': 13,
  'kit/idle-clients.test.ts': 13,
  'clients/python-causes.test.ts': 12,
  'examples/electron.test.ts': 12,
  'cli/desk-answers.test.ts': 11,
  'clients/python-library.test.ts': 11,
  'deploy/restore.test.ts': 11,
  'rules/leave.test.ts': 11,
  'client/session-client.test.ts': 10,
  'cli/doctor.test.ts': 9,
  'flows/java-client.test.ts': 9,
  'flows/nodes.test.ts': 9,
  'flows/sentinel.test.ts': 9,
  'store/history.test.ts': 9,
  'admin/bulk.test.ts': 8,
  'cli/serve.test.ts': 8,
  'flows/tracing.test.ts': 8,
};

/**
 * Files that spend most of their time waiting for what the clock brings: four of them at a time leave the cores half idle.
 * None judges how quick anything is.
 */
export const WAITING: readonly string[] = [
  'cli/nodes.test.ts',
  'cli/redis-services.test.ts',
  'cli/renewal.test.ts',
  'clients/python-library.test.ts',
  'clients/python.test.ts',
  'clients/story.test.ts',
  'console/outages.test.ts',
  'deploy/restore.test.ts',
  'flows/data-loss.test.ts',
  'flows/growth.test.ts',
  'flows/identity.test.ts',
  'flows/lease-age.test.ts',
  'flows/nothing-lost.test.ts',
  'flows/outage-causes.test.ts',
  'flows/outages.test.ts',
  'flows/reigns.test.ts',
  'flows/tokens.test.ts',
  'flows/tracing.test.ts',
  'gateway/frames.test.ts',
  'gateway/handshake.test.ts',
  'kit/idle-clients.test.ts',
  'kit/wrong-clients.test.ts',
  'rules/ask.test.ts',
  'rules/idle.test.ts',
  'rules/leave-places.test.ts',
  'rules/leave.test.ts',
  'rules/share.test.ts',
];

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
