import { keyNames } from '../src/store/keys.js';
import type { BrokerNode } from './broker-node.js';
import type { Belief, Counts, EndedEvents, History } from './history.js';
import type { Store } from './store.js';
import { ORG } from './timing.js';

const TICK_MS = 20;
const ASK_EVERY_MS = 250;
const COUNT_EVERY_MS = 500;
/** What is slower than this to answer, or to get its turn, is noted. */
const SLOW_MS = 50;

const names = keyNames('soleseat:');
const countScript = `
local granted, reasserted, ended, written = 0, 0, 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], tonumber(fields[i + 1])
  if name == 'granted' then granted = value end
  if name == 'reasserted' then reasserted = value end
  if name == 'written:ended' then written = value end
  if string.sub(name, 1, 6) == 'ended:' then ended = ended + value end
end
local leases = {}
for i = 3, #KEYS do
  local lease = redis.call('GET', KEYS[i])
  leases[i - 2] = lease and { string.match(lease, '^[^:]+:(%d+):'), redis.call('PTTL', KEYS[i]) } or false
end
local active = redis.call('ZCARD', KEYS[2])
return cjson.encode({
  granted = granted, reasserted = reasserted, ended = ended, written = written, active = active, leases = leases,
})
`;

const endedScript = `
local counted, written = { none = 0 }, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i] == 'written:ended' then written = tonumber(fields[i + 1]) end
  local reason = string.match(fields[i], '^ended:(.*)$')
  if reason then counted[reason] = tonumber(fields[i + 1]) end
end
local events, nameless, added = { none = 0 }, {}, 0
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
  local event = {}
  for i = 1, #entry[2], 2 do event[entry[2][i]] = entry[2][i + 1] end
  if event.type == 'session.ended' then
    events[event.reason or 'none'] = (events[event.reason or 'none'] or 0) + 1
    if not (event.sessionId and event.epoch and event.machine and event.reason) then
      nameless[#nameless + 1] = cjson.encode(event)
    end
  end
end
local info = redis.pcall('XINFO', 'STREAM', KEYS[2])
for i = 1, #info, 2 do if info[i] == 'entries-added' then added = info[i + 1] end end
local isTrimmed = added > redis.call('XLEN', KEYS[2])
if #nameless == 0 then nameless = nil end
return cjson.encode({ counted = counted, written = written, events = events, nameless = nameless, isTrimmed = isTrimmed })
`;

interface CountReply extends Omit<Counts, 'atMs' | 'leases' | 'leaseEnds' | 'beliefs'> {
  /** Epoch and ms left, false where there is none. */
  readonly leases: readonly (readonly [string, number] | false)[];
}

/** All counts of the org and the leases of these users, in one atomic look. Rejects where Redis is away. */
export async function lookAtCounts(
  store: Store,
  users: readonly string[],
  beliefs: readonly Belief[] = [],
): Promise<Counts> {
  const keys = [names.counters(ORG), names.active(ORG), ...users.map((user) => names.lease(ORG, user))];
  const reply = await store.command('EVAL', countScript, String(keys.length), ...keys);
  const atMs = performance.now();
  const { leases, ...counts } = JSON.parse(String(reply)) as CountReply;
  const standing = users.flatMap((user, i) => {
    const lease = leases[i];
    return lease ? [{ user, epoch: Number(lease[0]), endMs: atMs + lease[1] }] : [];
  });
  return {
    atMs,
    ...counts,
    leases: Object.fromEntries(standing.map(({ user, epoch }) => [user, epoch])),
    leaseEnds: Object.fromEntries(standing.map(({ user, endMs }) => [user, endMs])),
    beliefs,
  };
}

/** The `ended` events beside the counters, in one atomic look. Rejects where Redis is away. */
export async function lookAtEndedEvents(store: Store): Promise<EndedEvents> {
  const reply = await store.command('EVAL', endedScript, '2', names.counters(ORG), names.events(ORG));
  const found = JSON.parse(String(reply)) as Omit<EndedEvents, 'atMs' | 'nameless'> & Partial<EndedEvents>;
  return { nameless: [], ...found, atMs: performance.now() };
}

/** Looks at the counts, and at how busy the machine is, again and again. Gives what ends it. */
export function watch(
  history: History,
  store: Store,
  nodes: readonly BrokerNode[],
  users: readonly { readonly name: string; readonly beliefs: readonly Belief[] }[],
): () => void {
  const userNames = users.map(({ name }) => name);
  const timers = [
    watchTurns(history),
    every(COUNT_EVERY_MS, async () => {
      const beliefs = users.flatMap((user) => user.beliefs);
      history.counts.push(await lookAtCounts(store, userNames, beliefs));
    }),
    every(ASK_EVERY_MS, async () => {
      const sentMs = performance.now();
      await store.command('PING');
      noteSlow(history, 'redis', performance.now() - sentMs);
    }),
    ...nodes.map((node) =>
      every(ASK_EVERY_MS, async () => noteSlow(history, node.name, (await node.answerTimeMs()) ?? 0)),
    ),
  ];
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}

/** A turn of this process that comes late delays what its clients hear. */
function watchTurns(history: History): NodeJS.Timeout {
  let lastMs = performance.now();
  return setInterval(() => {
    const nowMs = performance.now();
    noteSlow(history, 'checker', nowMs - lastMs - TICK_MS);
    lastMs = nowMs;
  }, TICK_MS);
}

/** One at a time; one that fails is one look less. */
function every(ms: number, look: () => Promise<void>): NodeJS.Timeout {
  let isLooking = false;
  return setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    look()
      .catch(() => {})
      .finally(() => {
        isLooking = false;
      });
  }, ms);
}

function noteSlow(history: History, where: string, ms: number): void {
  if (ms > SLOW_MS) history.slowness.push({ where, atMs: performance.now(), ms });
}
