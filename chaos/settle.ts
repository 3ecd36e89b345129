import { setTimeout as pause } from 'node:timers/promises';
import type { Finding } from './checks/finding.js';
import type { Counts, History } from './history.js';
import type { User } from './people.js';
import type { Store } from './store.js';
import { lookAtCounts } from './watch.js';

const POLL_MS = 100;
/** Far beyond what the promises need, as the machine may be busy. */
const PATIENCE_MS = 45_000;

/**
 * All is mended and nobody acts any more: beliefs, leases and counts must come to agree. Then everybody starts a
 * program once more and gets in, and in the end gives the seat back, so that nobody is active.
 */
export async function settle(users: readonly User[], store: Store, history: History): Promise<Finding[]> {
  const names = users.map(({ name }) => name);
  const look = () => lookAtCounts(store, names);
  const findings: (Finding | null)[] = [];
  history.note('checker', 'all is mended; waiting for beliefs, leases and counts to agree');
  findings.push(await agreed('after the faults', look, (counts) => disagreement(counts, users)));

  history.note('checker', 'roll call: everybody starts a program once more');
  const programs = await Promise.all(users.map((user) => user.start('roll-call')));
  const missing = async () => {
    const late = programs.filter((program) => program.heldEpoch === null);
    // A first attempt may come to nothing, and the library never takes over by itself again: a person would.
    for (const { seat } of late) if (seat.state === 'denied' || seat.state === 'evicted') seat.takeOver();
    return late.length === 0 ? null : `${late[0]?.name} got no seat, it is ${late[0]?.seat.state}`;
  };
  findings.push(await agreed('at the roll call', look, missing));
  findings.push(await agreed('after the roll call', look, (counts) => disagreement(counts, users)));

  for (const user of users)
    for (const program of user.running) if (!programs.includes(program)) program.crash();
  await Promise.all(programs.map((program) => program.release()));
  findings.push(
    await agreed('at the end', look, async ({ active }) => (active === 0 ? null : `${active} are active`)),
  );
  return findings.filter((finding) => finding !== null);
}

async function disagreement(counts: Counts, users: readonly User[]): Promise<string | null> {
  const { leases, active } = counts;
  for (const { name, holders } of users) {
    const epochs = holders.map((program) => program.heldEpoch);
    if (epochs.length > 1) return `${holders.map((one) => one.name).join(' and ')} both believe in the seat`;
    const lease = leases[name] ?? null;
    if ((epochs[0] ?? null) !== lease)
      return `${name}: believed in is epoch ${epochs[0] ?? 'none'}, the lease is ${lease ?? 'none'}`;
  }
  const standing = Object.keys(leases).length;
  return active === standing ? null : `${active} are counted as active, ${standing} leases stand`;
}

async function agreed(
  when: string,
  look: () => Promise<Counts>,
  faultOf: (counts: Counts) => Promise<string | null>,
): Promise<Finding | null> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const counts = await look().catch(() => null);
    const fault = counts === null ? 'Redis does not answer' : await faultOf(counts);
    if (fault === null) return null;
    if (performance.now() > deadlineMs)
      return { check: 'end', atMs: performance.now(), user: null, what: `${when}: ${fault}` };
    await pause(POLL_MS);
  }
}
