import type { Check } from '../check.js';
import { newGrant } from '../grants.js';
import { expectThat, notAfter, notBefore } from '../stage.js';

/** Until when a client counts on its seat. */
export const leaseChecks: readonly Check[] = [
  {
    id: 'lease-renewed',
    title: 'holds the seat for as long as leases come',
    why: 'a program that lets go too early keeps a person from working',
    tags: ['lease-until'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const grant = newGrant({ ttlMs: 4_000, renewEveryMs: 500 });
      link.welcome(grant);
      link.renew(grant);
      await stage.holds(true);
      await stage.keepsSeat(link, 6_000, 'although every lease came in time');
    },
  },
  {
    id: 'lease-deadline',
    title: 'lets go at the deadline, and resumes on another connection',
    why: 'the broker gives the seat to another machine once the lease has ended',
    tags: ['lease-until', 'lease-passed'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant({ ttlMs: 3_000 }));
      const printedMs = await stage.holds(false, 3_000);
      notBefore('"holds false"', printedMs, link.dialledMs, 3_000);
      notAfter('"holds false"', printedMs, link.toldMs, 3_000 + stage.slowMs);
      const next = await stage.connection('a handshake after the lease has passed');
      expectThat(next.hello?.resume?.sessionId === grant.sessionId, 'its hello does not resume the session');
      next.resume({ ...grant, ttlMs: 20_000 });
      await stage.holds(true);
    },
  },
  {
    id: 'lease-asked',
    title: 'counts a welcome from when it asked, however long the answer took',
    why: 'the time on the way is not its own: another machine may have the seat by then',
    tags: ['lease-base'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const askedMs = performance.now();
      await stage.pass(5_500);
      link.welcome(newGrant({ ttlMs: 12_000 }));
      await stage.holds(true);
      notAfter('"holds false"', await stage.holds(false, 12_000), askedMs, 12_000 + stage.slowMs);
    },
  },
  {
    id: 'lease-age',
    title: 'counts a lease from when it was written, not from when it came',
    why: 'a lease that lay in a buffer gives what may be another machine’s by now',
    tags: ['lease-base', 'lease-behind'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant({ ttlMs: 9_000, renewEveryMs: 4_000 }));
      await stage.pass(5_500);
      // Written 500 ms after the welcome, and read 5 s after that: it ends 7.5 s after the welcome.
      const welcomedMs = link.toldMs;
      link.lease(grant, { ttlMs: 7_000 }, 500);
      const printedMs = await stage.holds(false, 2_000);
      notAfter('"holds false"', printedMs, welcomedMs, 7_500 + stage.slowMs);
      const next = await stage.connection('a handshake after a lease that is too old');
      expectThat(next.hello?.resume?.sessionId === grant.sessionId, 'its hello does not resume the session');
    },
  },
  {
    id: 'lease-behind',
    title: 'takes another connection where all that comes is late',
    why: 'a connection that is always late never tells the truth about the seat',
    tags: ['lease-behind'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant({ ttlMs: 6_000 }));
      link.lease(grant);
      await stage.pass(3_200);
      link.lease(grant);
      const beat = setInterval(
        () => link.ended === null && link.lease(grant, {}, link.elapsedMs - 3_000),
        500,
      );
      try {
        const next = await stage.connection('a handshake away from a connection that is 3 s late', 1_500);
        expectThat(
          next.hello?.resume?.sessionId === grant.sessionId,
          'its hello does not resume the session',
        );
      } finally {
        clearInterval(beat);
      }
    },
  },
  {
    id: 'lease-shrinks',
    title: 'believes the newest lease, also where it says less',
    why: 'the node knows that the lease ends sooner, as after a slow Redis',
    tags: ['lease-newest'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      link.lease(grant, { ttlMs: 1_500 });
      const toldMs = link.toldMs;
      notAfter('"holds false"', await stage.holds(false, 1_500), toldMs, 1_500 + stage.slowMs);
    },
  },
  {
    id: 'lease-outlives',
    title: 'holds the seat for what is left of the lease when the connection breaks, and no longer',
    why: 'a short loss need not stop a person, and a long one must',
    tags: ['lease-outlives'],
    async run(stage) {
      const { link, grant } = await stage.seated(newGrant({ ttlMs: 4_000 }));
      link.lease(grant);
      const elapsedMs = link.elapsedMs;
      stage.broker.stopListening();
      link.close(1011);
      const printedMs = await stage.holds(false, 4_000);
      notBefore('"holds false"', printedMs, link.dialledMs + elapsedMs, 4_000);
      notAfter('"holds false"', printedMs, link.toldMs, 4_000 + stage.slowMs);
    },
  },
  {
    id: 'no-elapsed',
    title: 'counts a message without elapsedMs from when it came',
    why: 'an older broker sends none',
    tags: ['lease-legacy'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const { sessionId, epoch } = newGrant();
      const fields = { epoch, ttlMs: 4_000 };
      link.sendText(
        JSON.stringify({
          type: 'welcome',
          sessionId,
          resumed: false,
          renewEveryMs: 500,
          license: null,
          ...fields,
        }),
      );
      await stage.holds(true);
      const lease = JSON.stringify({ type: 'lease', ...fields });
      const beat = setInterval(() => link.ended === null && link.sendText(lease), 500);
      try {
        await stage.keepsSeat(link, 6_000, 'although every lease came in time');
      } finally {
        clearInterval(beat);
      }
    },
  },
];
