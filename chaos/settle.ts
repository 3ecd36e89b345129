import { setTimeout as pause } from 'node:timers/promises';
import type { Finding } from './checks/finding.js';
import type { Fence } from './fence.js';
import type { Counts, History } from './history.js';
import type { User } from './people.js';
import type { Store } from './store.js';
import { timing } from './timing.js';
import { lookAtCounts, lookAtEndedEvents } from './watch.js';

const POLL_MS = 100;
/** Far beyond what the promises need, as the machine may be busy. */
const PATIENCE_MS = 45_000;
/** A holder below the fence is confirmed under a new epoch by its next renewal. */
const CONFIRMED_WITHIN_MS = 20 * timing.renewEveryMs;

export interface SettleParts {
  readonly store: Store;
  readonly history: History;
  readonly fence: Fence;
}

/**
 * All is mended and nobody acts any more: beliefs, leases and counts must come to agree. Then everybody starts a
 * program once more and gets in, and in the end gives the seat back, so that nobody is active.
 */
export async function settle(
  users: readonly User[],
  { store, history, fence }: SettleParts,
): Promise<Finding[]> {
  const names = users.map(({ name }) => name);
  const look = () => lookAtCounts(store, names);
  const findings: (Finding | null)[] = [];
  history.note('checker', 'all is mended; waiting for beliefs, leases and counts to agree');
  findings.push(await agreed('after the faults', look, (counts) => disagreement(counts, users)));

  const isBelowFence = async (counts: Counts) => below(counts, users, fence);
  findings.push(await agreed('after the faults', look, isBelowFence, 'fence'));

  history.note('checker', 'roll call: everybody starts a program once more');
  const programs = await Promise.all(users.map((user) => user.start('roll-call')));
  const missing = async () => {
    const late = programs.filter((program) => program.heldEpoch === null);
    // A first attempt may come to nothing, and the library never takes over by itself again: a person would.
    for (const one of late)
      if (one.state === 'conflict' || one.state === 'denied' || one.state === 'evicted') one.takeOver();
    return late.length === 0 ? null : `${late[0]?.name} got no seat, it is ${late[0]?.state}`;
  };
  findings.push(await agreed('at the roll call', look, missing));
  findings.push(await agreed('after the roll call', look, (counts) => disagreement(counts, users)));

  for (const user of users)
    for (const program of user.running) if (!programs.includes(program)) program.crash();
  await Promise.all(programs.map((program) => program.release()));
  findings.push(
    await agreed('at the end', look, async ({ active }) => (active === 0 ? null : `${active} are active`)),
  );
  await lookAtEndedEvents(store).then((one) => history.endedEvents.push(one));
  return findings.filter((finding) => finding !== null);
}

async function disagreement(counts: Counts, users: readonly User[]): Promise<string | null> {
  const { leases, active } = counts;
  for (const { name, holders } of users) {
    const epochs = holders.map((program) => program.heldEpoch);
    // Programs of one machine may share a session.
    const areTogether =
      new Set(epochs).size === 1 && new Set(holders.map(({ machine }) => machine)).size === 1;
    if (epochs.length > 1 && !areTogether)
      return `${holders.map((one) => one.name).join(' and ')} both believe in the seat`;
    const lease = leases[name] ?? null;
    if ((epochs[0] ?? null) !== lease)
      return `${name}: believed in is epoch ${epochs[0] ?? 'none'}, the lease is ${lease ?? 'none'}`;
  }
  const standing = Object.keys(leases).length;
  return active === standing ? null : `${active} are counted as active, ${standing} leases stand`;
}

/** Promise 8: nobody stays below an epoch that a service has accepted. */
function below({ leases }: Counts, users: readonly User[], fence: Fence): string | null {
  for (const { name, holders } of users) {
    const lease = leases[name];
    const highest = fence.highestOf(name);
    if (holders[0] !== undefined && lease !== undefined && lease < highest)
      return `${holders[0].name} stays at epoch ${lease}, but the fence has accepted ${highest} of ${name}`;
  }
  return null;
}

async function agreed(
  when: string,
  look: () => Promise<Counts>,
  faultOf: (counts: Counts) => Promise<string | null>,
  check: 'end' | 'fence' = 'end',
): Promise<Finding | null> {
  const deadlineMs = performance.now() + (check === 'fence' ? CONFIRMED_WITHIN_MS : PATIENCE_MS);
  for (;;) {
    const fault = await look().then(faultOf, (error) => `Redis does not answer: ${error}`);
    if (fault === null) return null;
    if (performance.now() > deadlineMs)
      return { check, atMs: performance.now(), user: null, what: `${when}: ${fault}` };
    await pause(POLL_MS);
  }
}
