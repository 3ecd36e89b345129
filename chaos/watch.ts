import { KeyNames } from '../src/store/keys.js';
import type { BrokerNode } from './broker-node.js';
import type { Counts, History } from './history.js';
import type { Store } from './store.js';
import { ORG } from './timing.js';

const TICK_MS = 20;
const ASK_EVERY_MS = 250;
const COUNT_EVERY_MS = 500;
/** What is slower than this to answer, or to get its turn, is noted. */
const SLOW_MS = 50;

const names = new KeyNames('soleseat:');
const countScript = `
local granted, reasserted, ended = 0, 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], tonumber(fields[i + 1])
  if name == 'granted' then granted = value end
  if name == 'reasserted' then reasserted = value end
  if string.sub(name, 1, 6) == 'ended:' then ended = ended + value end
end
local leases = {}
for i = 3, #KEYS do
  local lease = redis.call('GET', KEYS[i])
  leases[i - 2] = lease and string.match(lease, '^[^:]+:(%d+):') or ''
end
return cjson.encode({ granted, reasserted, ended, redis.call('ZCARD', KEYS[2]), leases })
`;

/** All counts of the org and the leases of these users, in one atomic look. Rejects where Redis is away. */
export async function lookAtCounts(store: Store, users: readonly string[]): Promise<Counts> {
  const keys = [names.counters(ORG), names.active(ORG), ...users.map((user) => names.lease(ORG, user))];
  const reply = await store.command('EVAL', countScript, String(keys.length), ...keys);
  const [granted, reasserted, ended, active, epochs] = JSON.parse(String(reply)) as [
    number,
    number,
    number,
    number,
    string[],
  ];
  const standing = users.flatMap((user, i) => (epochs[i] ? [[user, Number(epochs[i])] as const] : []));
  return {
    atMs: performance.now(),
    granted,
    reasserted,
    ended,
    active,
    leases: Object.fromEntries(standing),
  };
}

/** Looks at the counts, and at how busy the machine is, again and again. Gives what ends it. */
export function watch(
  history: History,
  store: Store,
  nodes: readonly BrokerNode[],
  users: readonly string[],
): () => void {
  const timers = [
    watchTurns(history),
    every(COUNT_EVERY_MS, async () => {
      history.counts.push(await lookAtCounts(store, users));
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
