import type { Check } from '../check.js';
import { NotRun } from '../finding.js';
import { newGrant } from '../grants.js';
import { expectThat } from '../stage.js';

/** What a client does after it stood still. */
export const stallChecks: readonly Check[] = [
  {
    id: 'stopped',
    title: 'counts on nothing after the process stood still, and resumes',
    why: 'leases lie unread meanwhile; counted from receipt they give a seat that another machine has',
    tags: ['lease-base', 'lease-passed'],
    async run(stage) {
      if (process.platform === 'win32') throw new NotRun('Windows has no SIGSTOP');
      const { link, grant } = await stage.seated(newGrant({ ttlMs: 3_000, renewEveryMs: 500 }));
      link.lease(grant);
      stage.program.stop();
      const beat = setInterval(() => link.ended === null && link.lease(grant), 500);
      // Shorter than silence, so that a timer for that does not hide what becomes of the unread leases.
      await stage.pass(1_000).finally(() => clearInterval(beat));
      await stage.pass(3_400);
      stage.program.goOn();
      await stage.holds(false);
      const next = await stage.connection('a handshake after the process went on', 1_000);
      expectThat(next.hello?.resume?.sessionId === grant.sessionId, 'its hello does not resume the session');
      const grants = stage.program.printed.filter(({ holds }) => holds).length;
      expectThat(grants === 1, 'it held the seat again by a lease that had lain unread');
      next.resume({ ...grant, ttlMs: 20_000 });
      await stage.holds(true);
    },
  },
];
