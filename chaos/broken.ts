import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Act } from './people.js';
import { clientDist, dist, root, workFolder } from './places.js';
import type { RunOptions } from './run.js';
import type { FaultKind } from './schedule.js';

interface Change {
  /** In the build. */
  readonly file: string;
  /** Must stand there exactly once. */
  readonly find: string;
  readonly replace: string;
}

interface Breakage {
  readonly what: string;
  readonly changes: readonly Change[];
  /** What brings it to light. */
  readonly kinds: readonly FaultKind[];
  readonly acts: Readonly<Partial<Record<Act, number>>>;
  readonly actEveryMs: readonly [number, number];
  readonly gapMs: readonly [number, number];
  readonly lastsMs?: readonly [number, number];
  readonly amountMs?: readonly [number, number];
  readonly users?: number;
  readonly nodes?: number;
  readonly shares?: boolean;
  readonly hasRules?: boolean;
}

const often = [150, 500] as const;
const hasty = [40, 250] as const;
const busy = { start: 4, 'take-over': 4, race: 1 };

/** Brokers that each break one promise. A checker that passes them would be of no use. */
export const breakages = {
  'release-without-epoch': {
    what: 'a release frees the seat without comparing session and epoch (promise 1)',
    changes: [
      {
        file: 'store/lua/release.lua',
        find: 'elseif not isGrant(holder, order.sessionId, epoch, order.nodeId, order.connection) then',
        replace: 'elseif false then',
      },
    ],
    kinds: ['pubsub-lost'],
    acts: { start: 1, move: 4 },
    actEveryMs: [100, 400],
    gapMs: often,
  },
  'no-self-fencing': {
    what: 'a node that cannot confirm a lease goes on as if it had (promise 6)',
    changes: [
      {
        file: 'session/renewals.js',
        find: "this.parts.metrics.renewals.inc({ outcome: 'failed' });",
        replace: `
          session.deadlineMs = this.deadlineFrom(this.parts.clock());
          session.link.pingWith({ type: 'lease', epoch: session.epoch, ttlMs: this.leftMs(session) });`,
      },
    ],
    kinds: ['link-cut'],
    acts: busy,
    actEveryMs: [200, 900],
    // One node at a time, for longer than the news of a takeover may take.
    gapMs: [5000, 6000],
    lastsMs: [4000, 4500],
  },
  'notice-over-lease': {
    what: 'only a notice ends a session, a renewal that finds the seat lost does not (promise 5)',
    changes: [
      {
        file: 'session/renewals.js',
        find: "if (answer.outcome === 'lost') {",
        replace:
          "if (answer.outcome === 'lost') answer.raised = null; if (answer.outcome === 'lost by notice') {",
      },
    ],
    kinds: ['pubsub-lost'],
    acts: busy,
    actEveryMs: [200, 900],
    gapMs: often,
  },
  'evict-without-tombstone': {
    what: 'an eviction does not raise the fence, so the evicted session can come back (promise 8)',
    changes: [
      {
        file: 'store/lua/seat.lua',
        find: 'raiseFence(tombstone, reason, holder and holder.leave)',
        replace: '',
      },
    ],
    kinds: ['pubsub-lost'],
    acts: { start: 3, evict: 2 },
    actEveryMs: [400, 1200],
    gapMs: often,
  },
  'counter-outside-script': {
    what: 'a grant is counted by a command after the script (promise 9)',
    changes: [
      {
        file: 'store/lua/claim.lua',
        find: "count(resumed and 'resumed' or isBack and 'reasserted' or 'granted')",
        replace: "if resumed then count('resumed') end",
      },
      {
        file: 'store/leases.js',
        find: "case 'granted':",
        replace: `case 'granted':
          const { redis, keys } = this.parts;
          if (!reply.resumed) redis.hincrby(keys.counters(request.org), 'granted', 1).catch(() => {});`,
      },
    ],
    kinds: ['link-delay', 'client-kill'],
    acts: busy,
    actEveryMs: hasty,
    gapMs: often,
  },
  'reused-epochs': {
    what: 'epochs are counted up from what Redis has stored (promise 8)',
    changes: [
      {
        file: 'store/lua/reign.lua',
        find: 'math.max(current.last + 1, clockUs, floor + 1, (above or 0) + 1)',
        replace: 'current.last + 1',
      },
      {
        file: 'store/lua/reign.lua',
        find: 'math.max(last or 0, floor) + LOST_AT_MOST, math.max(clockUs, viewUs) + LEAD_US',
        replace: '(last or 0) + 1',
      },
    ],
    kinds: ['flushall'],
    acts: busy,
    actEveryMs: [100, 600],
    gapMs: often,
  },
  'reign-without-id': {
    what: 'a reign does not begin where the replication id is another one (promise 8)',
    changes: [
      {
        file: 'store/lua/reign.lua',
        find: "if last and id and (here == '' or here == id) then",
        replace: 'if last and id then',
      },
    ],
    kinds: ['failover-lossy'],
    acts: busy,
    actEveryMs: hasty,
    gapMs: often,
    amountMs: [300, 900],
  },
  'reign-without-view': {
    what: 'a reign begins by what the server knows, not by what its nodes have seen (promise 8)',
    changes: [
      {
        file: 'store/lua/reign.lua',
        find: 'math.max(last or 0, floor) + LOST_AT_MOST, math.max(clockUs, viewUs) + LEAD_US',
        replace: '(last or 0) + LOST_AT_MOST, clockUs + LEAD_US',
      },
    ],
    kinds: ['failover-ahead'],
    acts: busy,
    actEveryMs: hasty,
    gapMs: often,
  },
  'never-confirmed': {
    what: 'what was held before a reign keeps its epoch, below what the fence has seen (promise 8)',
    changes: [{ file: 'store/lua/renew.lua', find: 'if lease.epoch < first then', replace: 'if false then' }],
    kinds: ['machine-lost'],
    acts: { start: 1 },
    actEveryMs: [2000, 8000],
    gapMs: [4000, 5000],
    users: 80,
  },
  'rank-ignored': {
    what: 'leases are compared by epoch alone, so an older act that is confirmed first wins (promise 8)',
    changes: [
      {
        file: 'store/lua/grant.lua',
        find: 'if one.rank ~= other.rank then return one.rank < other.rank end',
        replace: '',
      },
      {
        file: 'store/replies.js',
        find: 'holder.rank === lease.rank ? holder.epoch <= lease.epoch : holder.rank < lease.rank',
        replace: 'holder.epoch <= lease.epoch',
      },
    ],
    kinds: ['failover-split'],
    acts: { start: 4, 'take-over': 4 },
    actEveryMs: [1000, 3000],
    gapMs: [4000, 5000],
    users: 40,
  },
  'epoch-as-time': {
    what: "an eviction's fence is never above Redis's clock, though epochs are (promise 8)",
    changes: [
      {
        file: 'store/lua/seat.lua',
        find: 'raiseFence(tombstone, reason, holder and holder.leave)',
        replace: 'raiseFence(math.min(tombstone, nowUs), reason)',
      },
    ],
    kinds: ['pubsub-lost'],
    acts: { start: 3, evict: 2 },
    actEveryMs: [400, 1200],
    gapMs: often,
  },
  'takeover-unsaid': {
    what: 'a takeover counts an end and writes no event of it (promise 13)',
    changes: [
      {
        file: 'store/lua/claim.lua',
        find: "if ending then noteEnd(holder, ending, { actor = 'user', by = order.machineId }) end",
        replace: "if ending then count('ended:' .. ending) end",
      },
    ],
    kinds: ['script-flush'],
    acts: busy,
    actEveryMs: often,
    gapMs: often,
  },
  'client-counts-from-receipt': {
    what: 'the client library counts a lease from when it hears of it, however old the message is (promise 15)',
    changes: [
      {
        file: '../packages/client/dist/esm/lease-clock.js',
        find: "if (typeof elapsedMs !== 'number')",
        replace: '',
      },
    ],
    kinds: ['client-stop'],
    acts: { start: 4, lag: 1, silence: 1 },
    actEveryMs: [300, 1200],
    gapMs: [3000, 4000],
  },
  'node-counts-from-reply': {
    what: 'a node counts a lease from the reply to its renewal, however late that is (promise 6)',
    changes: [
      {
        file: 'session/renewals.js',
        find: 'session.deadlineMs = this.deadlineFrom(sentMs);',
        replace: 'session.deadlineMs = this.deadlineFrom(this.parts.clock());',
      },
    ],
    kinds: ['link-half-cut-down'],
    acts: { start: 4 },
    actEveryMs: [500, 2000],
    gapMs: [1200, 1800],
    lastsMs: [700, 880],
  },
  'release-for-all': {
    what: 'the release of one program frees the seat that others of its machine share (promise 1)',
    changes: [
      {
        file: 'store/lua/release.lua',
        find: "local left = sharing.takeOut(holder, 'released')",
        replace: 'local left = 0',
      },
    ],
    kinds: ['script-flush'],
    acts: { start: 2, clone: 6, release: 3 },
    actEveryMs: [200, 700],
    gapMs: often,
    shares: true,
  },
  'leave-too-short': {
    what: 'the lease of a seat that is taken along ends before its ticket does',
    changes: [
      {
        file: 'store/lua/leave.lua',
        find: "'PX', text(forMs)",
        replace: "'PX', '300'",
      },
    ],
    kinds: ['script-flush'],
    acts: { start: 5, leave: 5 },
    actEveryMs: [200, 700],
    gapMs: often,
    hasRules: true,
  },
  'sharers-untold': {
    what: 'of the programs that share a session, only one is told of its end (promise 4)',
    changes: [
      {
        file: 'store/lua/seat.lua',
        find: 'local byNode = holder.shared and sharersByNode(holder) or {}',
        replace: 'local byNode = {}',
      },
      // Nor do they find out by themselves.
      {
        file: 'session/renewals.js',
        find: "if (answer.outcome === 'lost') {",
        replace:
          "if (answer.outcome === 'lost' && session.isShared) return this.#schedule(session, 5000);\nif (answer.outcome === 'lost') {",
      },
    ],
    kinds: ['script-flush'],
    acts: { start: 4, clone: 4 },
    actEveryMs: [200, 700],
    gapMs: often,
    shares: true,
  },
} as const satisfies Record<string, Breakage>;

export type BreakageName = keyof typeof breakages;
export const breakageNames = Object.keys(breakages) as BreakageName[];

/** A copy of the package with that promise broken. Throws where the build no longer has what is to be changed. */
export function breakBuild(name: BreakageName): { readonly dist: string; readonly remove: () => void } {
  const folder = join(workFolder, 'chaos');
  mkdirSync(folder, { recursive: true });
  // Within the clone, so that the copy finds its packages.
  const copy = mkdtempSync(join(folder, `${name}-`));
  const remove = () => rmSync(copy, { recursive: true, force: true });
  try {
    const build = join(copy, 'dist');
    cpSync(join(root, 'package.json'), join(copy, 'package.json'));
    cpSync(dist, build, { recursive: true, filter: (file) => !file.endsWith('.map') });
    cpSync(clientDist, join(copy, 'packages', 'client', 'dist'), { recursive: true });
    dropSourceMaps(build);
    for (const change of breakages[name].changes) apply(build, change);
    return { dist: build, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A run to the first violation, with the acts and faults that bring this breakage to light. */
export function focusedOn(name: BreakageName): Partial<RunOptions> {
  const { what: _what, changes: _changes, ...focus } = breakages[name];
  return {
    durationMs: 90_000,
    users: 8,
    machines: 2,
    nodes: 2,
    stopsAtFirst: true,
    ...focus,
  };
}

/** They were left behind, as they lead to sources that are not beside the copy. */
function dropSourceMaps(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js')) continue;
    const path = join(folder, file);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/\/\/# sourceMappingURL=.*$/m, ''));
  }
}

function apply(folder: string, { file, find, replace }: Change): void {
  const path = join(folder, file);
  const parts = readFileSync(path, 'utf8').split(find);
  if (parts.length !== 2) throw new Error(`${file} has "${find}" ${parts.length - 1} times instead of once`);
  writeFileSync(path, parts.join(replace));
}
