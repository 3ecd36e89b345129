import { setTimeout as pause } from 'node:timers/promises';
import { keyNames } from '../src/store/keys.js';
import { administrator } from './admin.js';
import { checkBeliefs } from './checks/beliefs.js';
import { checkCounts } from './checks/counts.js';
import { checkEnds } from './checks/ends.js';
import { checkOrder, checkUnique } from './checks/epochs.js';
import { checkEvictions } from './checks/evictions.js';
import { checkAboveFence, checkFence } from './checks/fence.js';
import type { Finding } from './checks/finding.js';
import { checkIdleness } from './checks/idleness.js';
import { checkLeaves } from './checks/leaves.js';
import { checkNewest } from './checks/newest.js';
import { checkConfirmed, checkOverlaps, findOverlaps, type Overlap } from './checks/overlaps.js';
import { carryOut } from './faults.js';
import { Fence } from './fence.js';
import { History } from './history.js';
import { type Act, User, usualActs } from './people.js';
import { dist } from './places.js';
import { Random } from './random.js';
import { type FaultKind, faultKinds, planFaults } from './schedule.js';
import { loadLibrary } from './seat.js';
import { settle } from './settle.js';
import { Stage } from './stage.js';
import { ASK_WAIT_MS, IDLE_LIMIT_MS, ORG } from './timing.js';
import { watch } from './watch.js';

const WORK_EVERY_MS = 40;
const POLL_MS = 250;
const SETTING_EVERY_MS = 500;

export interface RunOptions {
  readonly seed: string;
  readonly durationMs: number;
  readonly users: number;
  readonly machines: number;
  readonly nodes: number;
  readonly kinds: readonly FaultKind[];
  readonly gapMs: readonly [number, number];
  readonly lastsMs?: readonly [number, number];
  readonly amountMs?: readonly [number, number];
  readonly acts: Readonly<Partial<Record<Act, number>>>;
  readonly actEveryMs: readonly [number, number];
  /** The programs of one machine share a session. */
  readonly shares: boolean;
  /** Newcomers ask, holders answer, and seats are taken along. */
  readonly hasRules: boolean;
  /** Whether to end at the first violation, without waiting for beliefs and counts to agree. */
  readonly stopsAtFirst: boolean;
  /** The build under test. */
  readonly dist: string;
  readonly onProgress: (line: string) => void;
}

export const usualRun: Omit<RunOptions, 'seed'> = {
  durationMs: 60_000,
  users: 12,
  machines: 3,
  nodes: 3,
  kinds: faultKinds,
  gapMs: [800, 2800],
  acts: usualActs,
  actEveryMs: [100, 1000],
  shares: false,
  hasRules: false,
  stopsAtFirst: false,
  dist,
  onProgress: () => {},
};

export interface RunResult {
  readonly options: RunOptions;
  readonly history: History;
  readonly overlaps: readonly Overlap[];
  readonly findings: readonly Finding[];
  readonly tookMs: number;
}

/** One run: nodes and Redis are started, hurt and mended while users act; then the history is verified. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { seed, durationMs, onProgress } = options;
  const startedMs = performance.now();
  const history = new History();
  const random = new Random(seed);
  onProgress(`seed ${seed}: starting ${options.nodes} nodes, Redis and its replica`);
  const stage = await Stage.start({
    dist: options.dist,
    nodeCount: options.nodes,
    history,
    hasDesk: options.kinds.includes('client-stop'),
  });
  const fence = new Fence(history);
  const timers: NodeJS.Timeout[] = [];
  let stopWatching = () => {};
  try {
    const users = await invite(options, stage, { history, fence, random });
    const plan = planFaults({
      ...options,
      random: random.fork('faults'),
      nodes: stage.nodes.map((n) => n.name),
    });
    history.begin();
    stopWatching = watch(history, stage.store, stage.nodes, users);
    timers.push(
      setInterval(() => work(users), WORK_EVERY_MS),
      progress(options, history),
      setInterval(() => setRules(stage, options), SETTING_EVERY_MS),
    );
    setRules(stage, options);
    const hasFailed = () => options.stopsAtFirst && verify(history, []).findings.length > 0;
    const isOver = () => performance.now() - history.startMs > durationMs;
    const acting = users.map((user) => user.act());
    let isEnding = false;
    const hurting = carryOut(plan, stage, history, () => !isEnding);
    while (!isOver() && !hasFailed()) await pause(POLL_MS);
    isEnding = true;
    stage.hasten();
    await hurting;
    for (const user of users) user.rest();
    await Promise.all(acting);
    const endFindings = options.stopsAtFirst
      ? []
      : await settle(users, { store: stage.store, history, fence });
    for (const user of users) for (const program of user.running) program.finish();
    return { options, history, ...verify(history, endFindings), tookMs: performance.now() - startedMs };
  } finally {
    for (const timer of timers) clearInterval(timer);
    stopWatching();
    await stage.stop();
  }
}

async function invite(
  options: RunOptions,
  stage: Stage,
  { history, fence, random }: { history: History; fence: Fence; random: Random },
): Promise<User[]> {
  const connect = await loadLibrary(options.dist, 'index');
  const deskMachine = `pc${options.machines}`;
  const evict = await administrator(options.dist, stage.store);
  return Array.from({ length: options.users }, (_, i) => {
    const name = `user${i + 1}`;
    const own = random.fork(name);
    const doors = own.fork('doors');
    return new User(name, own, {
      history,
      fence,
      connect,
      deskOf: (machine) => (machine === deskMachine ? stage.desk : null),
      evict,
      random: own,
      chooseNode: () => stage.chooseNode(doors),
      machines: options.machines,
      answers: options.hasRules,
      weights: options.acts,
      waitMs: options.actEveryMs,
    });
  });
}

/** Said again and again, as faults lose data. */
function setRules({ store }: Stage, { shares, hasRules }: RunOptions): void {
  const fields = [
    ...(shares ? ['sameMachine', 'share'] : []),
    ...(hasRules
      ? ['leaveMaxMs', '60000', 'askWaitMs', String(ASK_WAIT_MS), 'idleLimitMs', String(IDLE_LIMIT_MS)]
      : []),
  ];
  if (fields.length === 0) return;
  store.command('HSET', keyNames('soleseat:').settings(ORG), ...fields).catch(() => {});
}

function work(users: readonly User[]): void {
  for (const user of users) for (const program of user.running) program.work();
}

function progress({ seed, durationMs, onProgress }: RunOptions, history: History): NodeJS.Timeout {
  return setInterval(() => {
    const seconds = (performance.now() - history.startMs) / 1000;
    onProgress(
      `seed ${seed}: ${seconds.toFixed(0)} of ${(durationMs / 1000).toFixed(0)} s, ` +
        `${history.faults.length} faults, ${history.grants.length} grants, ${history.evictions.length} evictions`,
    );
  }, 5000);
}

function verify(
  history: History,
  endFindings: readonly Finding[],
): { readonly overlaps: readonly Overlap[]; readonly findings: readonly Finding[] } {
  const overlaps = findOverlaps(history);
  const findings: Finding[] = [
    ...checkUnique(history),
    ...checkOrder(history),
    ...checkOverlaps(overlaps),
    ...checkConfirmed(history),
    ...checkFence(history),
    ...checkAboveFence(history),
    ...checkBeliefs(history),
    ...checkNewest(history),
    ...checkEnds(history),
    ...checkEvictions(history),
    ...checkLeaves(history),
    ...checkIdleness(history),
    ...checkCounts(history),
    ...endFindings,
    ...history.accidents.map(({ atMs, who, what }) => ({
      check: 'crash' as const,
      atMs,
      user: null,
      what: `${who} ${what}`,
    })),
  ];
  return { overlaps, findings: findings.sort((a, b) => a.atMs - b.atMs) };
}
