import { setTimeout as pause } from 'node:timers/promises';
import { losesData } from './checks/excuses.js';
import type { FaultRecord, History } from './history.js';
import type { FaultKind, PlannedFault } from './schedule.js';
import type { Stage } from './stage.js';

type Doing = (stage: Stage, fault: PlannedFault, history: History) => Promise<string>;

/** Two masters' clocks differ by so much. Longer than a failover and the one after it take together. */
const AHEAD_S = 4;
const REACH_TIMEOUT_MS = 4000;
const REIGN_TIMEOUT_MS = 2000;
const LOWER_MS = 400;
const APART_MS = 1100;
const POLL_MS = 50;

/** Each does its fault, waits as long as it lasts, mends what it broke, and says what it was. */
const doings: Readonly<Record<FaultKind, Doing>> = {
  'node-kill': async (stage, { target, forMs }) => {
    const node = stage.node(target);
    await node.stop('SIGKILL');
    await stage.wait(forMs);
    await node.start(() => stage.isOn);
    return `killed, started again after ${whole(forMs)}`;
  },
  'node-stop': async (stage, { target, forMs }) => {
    stage.node(target).signal('SIGSTOP');
    await stage.wait(forMs);
    stage.node(target).signal('SIGCONT');
    return `stopped for ${whole(forMs)}`;
  },
  'node-drain': async (stage, { target }) => {
    const node = stage.node(target);
    await node.stop('SIGTERM');
    await node.start(() => stage.isOn);
    return 'drained, started again';
  },
  'link-cut': async (stage, { target, forMs }) => {
    stage.node(target).link.cut({ refuses: true });
    await stage.wait(forMs);
    stage.node(target).link.heal();
    return `cut off from Redis for ${whole(forMs)}`;
  },
  'link-half-cut-up': (stage, fault) => halfCut(stage, fault, 'up'),
  'link-half-cut-down': (stage, fault) => halfCut(stage, fault, 'down'),
  'link-delay': async (stage, { target, forMs, amountMs }) => {
    stage.node(target).link.delay(amountMs);
    await stage.wait(forMs);
    stage.node(target).link.heal();
    return `${whole(amountMs)} each way for ${whole(forMs)}`;
  },
  'pubsub-lost': async (stage, { target, forMs }) => {
    const node = stage.node(target);
    node.losesInbox = true;
    await stage.wait(forMs);
    node.losesInbox = false;
    return `notices lost for ${whole(forMs)}`;
  },
  'redis-kill': (stage, { forMs }) => restart(stage, forMs, false),
  'redis-wipe': (stage, { forMs }) => restart(stage, forMs, true),
  'redis-stop': async (stage, { forMs }) => {
    const { store } = stage;
    store.signal('SIGSTOP');
    await stage.wait(forMs);
    store.signal('SIGCONT');
    return `stopped for ${whole(forMs)}`;
  },
  failover: (stage, fault) => failOver(stage, { ...fault, amountMs: 0 }),
  'failover-lossy': (stage, fault) => failOver(stage, fault),
  'failover-ahead': failOverAhead,
  'failover-split': (stage, fault) => failOverSplit(stage, fault, { isDead: false }),
  'machine-lost': (stage, fault) => failOverSplit(stage, fault, { isDead: true }),
  'client-stop': async ({ desk, wait }, { forMs }, history) => {
    if (desk === null) return 'not done: no program has a process of its own';
    const fromMs = performance.now();
    const toMs = Number.POSITIVE_INFINITY;
    const silences = desk.names.map((program) => ({ program, fromMs, toMs }));
    history.silences.push(...silences);
    desk.signal('SIGSTOP');
    await wait(forMs);
    desk.signal('SIGCONT');
    for (const silence of silences) silence.toMs = performance.now();
    return `stopped for ${whole(forMs)}`;
  },
  flushall: async ({ store }) => {
    await store.command('FLUSHALL');
    return 'FLUSHALL';
  },
  'script-flush': async ({ store }) => {
    await store.command('SCRIPT', 'FLUSH');
    return 'SCRIPT FLUSH';
  },
  'client-kill': async ({ store }, { isOtherWay }) => {
    const type = isOtherWay ? 'pubsub' : 'normal';
    await store.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    return `CLIENT KILL TYPE ${type}`;
  },
};

/** Does what was planned, each at its time, and settles when all is mended. */
export async function carryOut(
  plan: readonly PlannedFault[],
  stage: Stage,
  history: History,
  mayBegin: () => boolean,
): Promise<void> {
  await Promise.all(
    plan.map(async (fault) => {
      await stage.wait(Math.max(0, history.startMs + fault.atMs - performance.now()));
      await carryOutOne(fault, stage, history, mayBegin);
    }),
  );
}

async function carryOutOne(
  fault: PlannedFault,
  stage: Stage,
  history: History,
  mayBegin: () => boolean,
): Promise<void> {
  await stage.inLane(fault.target, async () => {
    if (!mayBegin()) return;
    if (losesData.has(fault.kind)) await keepReignsApart(stage, history);
    if (!mayBegin()) return;
    const { kind, target } = fault;
    const record: FaultRecord & { note: string } = {
      kind,
      target,
      startMs: performance.now(),
      endMs: Number.POSITIVE_INFINITY,
      note: '',
    };
    history.faults.push(record);
    history.note(target, `FAULT ${kind}`);
    try {
      record.note = await doings[kind](stage, fault, history);
    } catch (error) {
      record.note = `not done: ${(error as Error).message}`;
    }
    record.endMs = performance.now();
    history.note(target, `mended: ${kind} (${record.note})`);
  });
}

async function halfCut(
  stage: Stage,
  { target, forMs, isOtherWay }: PlannedFault,
  direction: 'up' | 'down',
): Promise<string> {
  const { link } = stage.node(target);
  link.hold(direction);
  await stage.wait(forMs);
  // Some networks deliver late what they held, some lose the connection.
  if (isOtherWay) link.cut({ refuses: false });
  link.heal();
  const what = direction === 'up' ? 'nothing reaches Redis' : 'nothing comes from Redis';
  return `${what} for ${whole(forMs)}, then ${isOtherWay ? 'the connections break' : 'it arrives late'}`;
}

async function restart(stage: Stage, forMs: number, wipes: boolean): Promise<string> {
  const { store } = stage;
  store.signal('SIGKILL');
  await stage.wait(forMs);
  await store.restart({ wipes });
  return `killed, back after ${whole(forMs)} ${wipes ? 'without its data' : 'with its append-only file'}`;
}

/** The replica takes over, as Sentinel would have it. With an amount, it misses what was written for so long before. */
async function failOver(stage: Stage, { amountMs, isOtherWay: isDead }: PlannedFault): Promise<string> {
  const { store, nodes } = stage;
  if (!(await store.isReplicaReady())) return 'not done: the replica was not ready';
  if (amountMs > 0) {
    await store.partReplica();
    await stage.wait(amountMs);
  }
  if (isDead) store.signal('SIGKILL');
  await store.partReplica();
  store.swap();
  for (const { link } of nodes) link.cut({ refuses: false });
  await store.rejoin({ isDead });
  return `the replica took over${amountMs > 0 ? `, the last ${whole(amountMs)} of writes lost` : ''}`;
}

/**
 * Epochs keep their promise while two changes of master lie at least a second apart (decision 4): what begins a reign waits
 * until the one before has begun, and a second more.
 */
async function keepReignsApart({ store, wait, isOn }: Stage, history?: History): Promise<void> {
  if (history !== undefined && !history.faults.some(({ kind }) => losesData.has(kind))) return;
  const deadlineMs = performance.now() + REIGN_TIMEOUT_MS;
  while (isOn && performance.now() < deadlineMs && !(await store.hasReign().catch(() => false)))
    await pause(POLL_MS);
  await wait(APART_MS);
}

/**
 * The replica takes over with a clock that is ahead, and begins a reign. The old master learns nothing of it, and takes
 * over again before its own clock has come so far. Only the nodes know then how far epochs have got (promise 8).
 */
async function failOverAhead(stage: Stage, { forMs }: PlannedFault): Promise<string> {
  const { store, nodes } = stage;
  if (!store.hasClocks) return 'not done: there is no C compiler to make a clock that can be set';
  if (!(await store.isReplicaReady())) return 'not done: the replica was not ready';
  // A node that begins meanwhile would have seen no clock: what is promised holds for those that have seen it.
  await stage.withNodesAtRest(AHEAD_S * 1000, async () => {
    store.setClocks({ primary: 0, replica: AHEAD_S });
    await store.partReplica();
    store.swap();
    const swappedMs = performance.now();
    for (const { link } of nodes) link.cut({ refuses: false });
    await store.isolateReplica();
    // Every node must have heard the new master's time (decision 4): it enters the directory with it.
    const aheadMs = await store.timeMs();
    const isReached = async () =>
      (await store.nodesSeenSince(aheadMs)) >= nodes.filter(({ isUp }) => isUp).length;
    while (!(await isReached().catch(() => false)) && performance.now() < swappedMs + REACH_TIMEOUT_MS)
      await pause(POLL_MS);
    await keepReignsApart(stage);
    await stage.wait(Math.min(forMs, LOWER_MS));
    await store.partReplica();
    store.swap();
    for (const { link } of nodes) link.cut({ refuses: false });
    await store.rejoin({ isDead: false });
    store.setClocks({ primary: 0, replica: 0 });
  });
  return `a replica with a clock ${AHEAD_S} s ahead took over, then the old master without what that one had written`;
}

/**
 * A partition: one node goes on with the old master, whose writes reach no replica; the others have the replica. It takes
 * over, and knows an older holder than the node that comes last; or that node dies with the old master, so that nobody
 * knows of the newest act any more.
 */
async function failOverSplit(
  stage: Stage,
  { amountMs }: PlannedFault,
  { isDead }: { readonly isDead: boolean },
): Promise<string> {
  const { store, nodes } = stage;
  if (!(await store.isReplicaReady())) return 'not done: the replica was not ready';
  let left = '';
  await stage.withNodesAtRest(0, async () => {
    const [last, ...first] = nodes;
    if (last === undefined) return;
    left = last.name;
    for (const { link } of first) link.cut({ refuses: true });
    await store.partReplica();
    await stage.wait(amountMs);
    if (isDead) {
      await last.stop('SIGKILL');
      store.signal('SIGKILL');
    } else last.link.cut({ refuses: true });
    store.swap();
    for (const { link } of first) link.heal();
    await stage.wait(APART_MS);
    last.link.heal();
    if (isDead) await last.start(() => stage.isOn);
    await store.rejoin({ isDead });
  });
  return `${left} alone had the old master for ${whole(amountMs)}, ${isDead ? 'and died with it' : 'and came last to the new one'}`;
}

function whole(ms: number): string {
  return `${ms.toFixed(0)} ms`;
}
