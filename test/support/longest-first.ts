import { join, relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = join(import.meta.dirname, '..');

/** How many seconds the files took that take long, two at a time on two cores. Guesses will do. */
export const SECONDS: Readonly<Record<string, number>> = {
  'chaos/chaos.test.ts': 100,
  'flows/lease-age.test.ts': 92,
  'clients/java.test.ts': 80,
  'console/console.test.ts': 76,
  'deploy/image.test.ts': 75,
  'console/outages.test.ts': 73,
  'flows/workers.test.ts': 70,
  'kit/wrong-clients.test.ts': 63,
  'kit/right-clients.test.ts': 58,
  'clients/java-kit.test.ts': 53,
  'flows/nothing-lost.test.ts': 51,
  'cli/desk.test.ts': 49,
  'flows/shares.test.ts': 40,
  'clients/python-kit.test.ts': 39,
  'flows/drain.test.ts': 38,
  'packages/install.test.ts': 37,
  'cli/redis-services.test.ts': 37,
  'cli/renewal.test.ts': 36,
  'flows/outage-causes.test.ts': 35,
  'clients/story.test.ts': 35,
  'flows/identity.test.ts': 34,
  'flows/growth.test.ts': 34,
  'clients/python.test.ts': 32,
  'outbox/deliveries.test.ts': 30,
  'metrics/metrics.test.ts': 30,
  'flows/storms.test.ts': 30,
  'deploy/watching.test.ts': 30,
  'cli/desk-answers.test.ts': 26,
  'gateway/handshake.test.ts': 25,
  'fuzz/fuzz.test.ts': 25,
  'flows/races.test.ts': 25,
  'flows/outages.test.ts': 25,
  'console/pages.test.ts': 25,
  'store/leases.test.ts': 23,
  'flows/reigns.test.ts': 20,
  'flows/floods.test.ts': 20,
  'examples/electron.test.ts': 20,
  'cli/redis-causes.test.ts': 20,
  'flows/cluster.test.ts': 19,
  'flows/standstill.test.ts': 18,
  'flows/tracing.test.ts': 15,
  'flows/tokens.test.ts': 15,
  'console/large-orgs.test.ts': 15,
  'clients/python-library.test.ts': 15,
  'kit/idle-clients.test.ts': 14,
  'clients/python-causes.test.ts': 14,
  'client/lease-events.test.ts': 14,
  'cli/serve.test.ts': 14,
  'gateway/frames.test.ts': 13,
  'flows/sentinel.test.ts': 13,
  'flows/nodes.test.ts': 13,
  'cli/config.test.ts': 13,
  'flows/java-client.test.ts': 12,
  'deploy/restore.test.ts': 12,
  'deploy/systemd.test.ts': 12,
  'deploy/compose.test.ts': 10,
  'flows/announced-names.test.ts': 12,
  'cli/doctor.test.ts': 12,
  'client/session-client.test.ts': 10,
  'store/licenses.property.test.ts': 9,
  'flows/data-loss.test.ts': 9,
  'console/keyboard.test.ts': 9,
  'admin/late-orders.test.ts': 9,
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
