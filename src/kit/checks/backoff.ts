import type { Check } from '../check.js';
import type { Grant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, notBefore, type Stage, seconds } from '../stage.js';

/** The widest wait after so many failures, by the protocol; a client may count its first failure already. */
const widestMs = (failures: number): number => Math.min(30_000, 500 * 2 ** (failures + 1));

/**
 * A wait above this shows that the waits grow: without growth none is above 500 ms. A right client stays below it in 9
 * waits in a row once in a million runs.
 */
const GROWN_MS = 1_500;
const GROWING_TRIES = 9;

/**
 * Of 14 waits that are random between 0 and 500 ms, 9 lie so close together once in 400,000 runs. Fixed waits do, also on a
 * slow machine, which draws some of them out.
 */
const CLUSTER_MS = 30;
const CLUSTER = 9;
const JITTER_TRIES = 14;

/** Fails attempt after attempt until a wait shows that they grow. */
async function growing(stage: Stage, link: Link, fail: (link: Link) => void, what: string): Promise<void> {
  const waitsMs: number[] = [];
  for (let failures = 0; failures < GROWING_TRIES; failures++) {
    fail(link);
    const failedMs = performance.now();
    link = await stage.connection(`a handshake after ${failures + 1} failures`, widestMs(failures));
    waitsMs.push(link.dialledMs - failedMs);
    if ((waitsMs.at(-1) ?? 0) > GROWN_MS) return;
  }
  const longestMs = Math.max(...waitsMs);
  expectThat(
    false,
    `${what}, ${waitsMs.length} waits in a row were ${seconds(longestMs)} at most: they do not grow`,
  );
}

/** Loses a healthy connection time after time, until a wait is too long, and gives the waits. */
async function losses(stage: Stage, times: number, mostMs: () => number): Promise<number[]> {
  let { link, grant } = await stage.seated();
  const waitsMs: number[] = [];
  for (let time = 0; time < times && (waitsMs.at(-1) ?? 0) <= mostMs(); time++) {
    link.lease(grant);
    link.close(1011);
    const lostMs = performance.now();
    link = await stage.connection('a handshake after a loss', widestMs(time));
    waitsMs.push(link.dialledMs - lostMs);
    grant = link.resume(grant);
  }
  return waitsMs;
}

function drains(stage: Stage, link: Link, grant: Grant, withinMs: number): Promise<number> {
  link.lease(grant);
  link.send({ type: 'draining', reconnectWithinMs: withinMs });
  link.closeFor('draining');
  const toldMs = performance.now();
  return stage.dial('a handshake after draining', withinMs).then((dial) => {
    const next = dial.accept();
    return stage
      .must('a hello', () => next.hello)
      .then(() => {
        next.resume(grant);
        return dial.atMs - toldMs;
      });
  });
}

/** The waits between attempts. */
export const backoffChecks: readonly Check[] = [
  {
    id: 'jitter',
    title: 'waits a random time before it comes back',
    why: 'thousands that lose one node at the same instant come back at the same instant',
    tags: ['backoff-jitter'],
    async run(stage) {
      const waitsMs = (await losses(stage, JITTER_TRIES, () => Number.POSITIVE_INFINITY)).sort(
        (a, b) => a - b,
      );
      const from = waitsMs.findIndex(
        (ms, index) => (waitsMs[index + CLUSTER - 1] ?? Infinity) - ms < CLUSTER_MS,
      );
      expectThat(
        from < 0,
        `${CLUSTER} of ${JITTER_TRIES} waits lie within ${CLUSTER_MS} ms of ${seconds(waitsMs[from] ?? 0)}: they are not random`,
      );
    },
  },
  {
    id: 'backoff-grows',
    title: 'waits longer from failure to failure',
    why: 'a broker that is down is not helped by clients that dial without end',
    tags: ['backoff-jitter'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      await growing(stage, link, (one) => one.closeFor('overloaded'), 'after claims that all failed');
    },
  },
  {
    id: 'welcome-no-reset',
    title: 'counts on failing where a welcome is followed by a loss, with no lease between',
    why: 'a broker that crashes at each claim is dialled without pause otherwise',
    tags: ['backoff-reset'],
    async run(stage) {
      let { link, grant } = await stage.seated();
      const crash = (one: Link) => {
        if (one !== link) grant = one.resume(grant);
        link = one;
        one.close(1011);
      };
      await growing(stage, link, crash, 'after welcomes without a lease');
    },
  },
  {
    id: 'lease-resets',
    title: 'begins with short waits again once a lease has come',
    why: 'one bad hour would make every later loss a long one',
    tags: ['backoff-reset'],
    async run(stage) {
      // The first wait is 1 s at most.
      const mostMs = () => 1_000 + stage.slowMs;
      const longestMs = Math.max(...(await losses(stage, 10, mostMs)));
      expectThat(
        longestMs <= mostMs(),
        `after a lease it waited ${seconds(longestMs)}, as after many failures`,
      );
    },
  },
  {
    id: 'draining',
    title: 'comes back at a random time within what draining says',
    why: 'the other nodes get all the clients of this one at once otherwise',
    tags: ['drain-spread'],
    async run(stage) {
      // A quarter of the waits within 6 s is below 1.5 s; 9 in a row are so once in 260,000 runs.
      const [withinMs, shortMs, tries] = [6_000, 1_500, 9];
      const seat = await stage.seated();
      let { link } = seat;
      for (let count = 0; count < tries; count++) {
        const waitedMs = await drains(stage, link, seat.grant, withinMs);
        if (waitedMs > shortMs) return;
        const last = stage.broker.links.at(-1);
        if (last !== undefined) link = last;
      }
      expectThat(
        false,
        `it came back within ${seconds(shortMs)} of each of ${tries} drains: it does not spread`,
      );
    },
  },
  {
    id: 'retry-after',
    title: 'waits retryAfterMs and its own wait on top',
    why: 'the broker says how long it needs; whoever comes earlier is refused again',
    tags: ['retry-after-ms'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      link.send({
        type: 'error',
        code: 'store_unavailable',
        message: 'Redis is out of reach',
        retryAfterMs: 2_000,
      });
      link.closeFor('store_unavailable');
      const toldMs = performance.now();
      const dial = await stage.dial('a handshake after retryAfterMs', 3_000);
      notBefore('its next handshake', dial.atMs, toldMs, 2_000);
    },
  },
  {
    id: 'retry-after-void',
    title: 'goes on at an error without a close, and forgets its retryAfterMs at the next lease',
    why: 'the holder of a seat is told flapping too: it keeps the seat, and a later loss is one like any other',
    tags: ['error-without-close'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      link.send({
        type: 'error',
        code: 'flapping',
        message: 'Another machine keeps trying',
        retryAfterMs: 120_000,
      });
      await stage.keepsSeat(link, 1_000, 'after an error without a close');
      link.lease(grant);
      link.close(1011);
      await stage.dial('a handshake after a loss that has nothing to do with the error', 1_000);
    },
  },
];
