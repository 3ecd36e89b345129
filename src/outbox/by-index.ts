import type { Lane } from './lane.js';

/** Lanes of one index together: they read the same outbox. */
export function byIndex(lanes: Iterable<Lane>): Iterable<readonly Lane[]> {
  const groups = new Map<string, Lane[]>();
  for (const lane of lanes) {
    const group = groups.get(lane.index.tag);
    if (group === undefined) groups.set(lane.index.tag, [lane]);
    else group.push(lane);
  }
  return groups.values();
}
