import type { Check } from '../check.js';
import { laterThan, newGrant } from '../grants.js';
import type { Link } from '../link.js';
import { expectThat, type Stage } from '../stage.js';

/** Loses a connection under a session, and gives the one that comes after it. */
async function afterLoss(
  stage: Stage,
): Promise<{ first: Link; next: Link; grant: ReturnType<typeof newGrant> }> {
  const { link, grant } = await stage.seated();
  link.lease(grant);
  link.cut();
  const next = await stage.connection('a handshake after the connection broke');
  return { first: link, next, grant };
}

/** What a client says when it comes back. */
export const reconnectChecks: readonly Check[] = [
  {
    id: 'resume',
    title: 'asks for its session again when the connection broke',
    why: 'without it a lost connection looks like a new program, and the session ends',
    tags: ['resume-latest'],
    async run(stage) {
      const { next, grant } = await afterLoss(stage);
      const resume = next.hello?.resume;
      expectThat(resume !== undefined, 'its hello has no resume');
      expectThat(resume?.sessionId === grant.sessionId, `it resumes ${resume?.sessionId}`);
      next.resume(grant);
      await stage.holds(true);
    },
  },
  {
    id: 'resume-epoch',
    title: 'resumes with the latest epoch, whether welcome or lease told it, to the last digit',
    why: 'by an epoch above its own the broker learns that Redis lost a grant',
    tags: ['resume-latest', 'epoch-digits'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      const later = laterThan(grant);
      link.lease(later);
      link.close(1011);
      const next = await stage.connection('a handshake after the connection broke');
      const epoch = next.hello?.resume?.epoch;
      expectThat(
        epoch === later.epoch,
        `it resumes epoch ${epoch}, and the latest lease said ${later.epoch}`,
      );
    },
  },
  {
    id: 'shared-resume',
    title: 'holds a session that it shares, and comes back to it under the same epoch',
    why: 'joining is no grant: a program that waits for a higher epoch never works again beside another one',
    tags: ['resume-latest', 'instance-same'],
    async run(stage) {
      stage.start();
      const link = await stage.connection('the first handshake');
      const grant = newGrant();
      link.welcome(grant, { shared: true });
      await stage.holds(true);
      link.cut();
      const next = await stage.connection('a handshake after the connection broke');
      expectThat(next.hello?.resume?.epoch === grant.epoch, 'its hello does not name the epoch that it had');
      next.welcome(grant, { resumed: true, shared: true });
      next.renew(grant);
      await stage.keepsSeat(next, 2_500, 'although the session goes on under its epoch');
    },
  },
  {
    id: 'reconnect-deny',
    title: 'never takes the seat from another machine when it comes back',
    why: 'two machines that reconnect with takeover throw each other out for ever',
    tags: ['reconnect-deny'],
    async run(stage) {
      const { next } = await afterLoss(stage);
      const policy = next.hello?.onConflict ?? 'takeover';
      expectThat(policy === 'deny', `its hello after a broken connection has onConflict "${policy}"`);
    },
  },
  {
    id: 'first-lost',
    title: 'does not take the seat either where its first claim was never answered',
    why: 'the person may have gone to another machine since the program was started',
    tags: ['reconnect-deny'],
    async run(stage) {
      stage.start();
      const first = await stage.connection('the first handshake');
      first.cut();
      const next = await stage.connection('a handshake after the connection broke');
      const policy = next.hello?.onConflict ?? 'takeover';
      expectThat(policy === 'deny', `its second hello has onConflict "${policy}"`);
    },
  },
  {
    id: 'same-instance',
    title: 'keeps its instance over reconnects',
    why: 'a program whose welcome was lost finds its session again by it',
    tags: ['instance-same'],
    async run(stage) {
      const { first, next } = await afterLoss(stage);
      expectThat(next.hello?.instance !== undefined, 'hello has no instance');
      expectThat(next.hello?.instance === first.hello?.instance, 'its instance changed with a reconnect');
    },
  },
  {
    id: 'attempt-grows',
    title: 'counts its attempts up with each hello',
    why: 'the broker closes with 4409 stale_attempt what it takes for an old hello',
    tags: ['attempt-grows'],
    async run(stage) {
      const { first, next } = await afterLoss(stage);
      const [before, after] = [first.hello?.attempt ?? -1, next.hello?.attempt ?? -1];
      expectThat(after > before, `attempt was ${before}, and is ${after} in the next hello`);
      next.closeFor('stale_attempt');
      const third = await stage.connection('a handshake after 4409 stale_attempt');
      expectThat((third.hello?.attempt ?? -1) > after, `attempt stayed ${after} after 4409 stale_attempt`);
    },
  },
  {
    id: 'resumed-false',
    title: 'goes on with the new session where the old one had ended',
    why: 'with resumed: false the session is another one, and the old sessionId is worth nothing',
    tags: ['resumed-false'],
    async run(stage) {
      const { next } = await afterLoss(stage);
      const fresh = newGrant();
      next.welcome(fresh);
      next.lease(fresh);
      await stage.holds(true);
      next.close(1011);
      const third = await stage.connection('a handshake after the second connection broke');
      const resumed = third.hello?.resume?.sessionId;
      expectThat(resumed === fresh.sessionId, `it resumes ${resumed}, not the session of the latest welcome`);
    },
  },
  {
    id: 'nobody-listens',
    title: 'tries on where nobody listens, and comes back with its session',
    why: 'a broker that is restarted is away for a moment',
    tags: ['other-codes-retry', 'resume-latest'],
    async run(stage) {
      const { link, grant } = await stage.seated();
      link.lease(grant);
      stage.broker.stopListening();
      link.cut();
      await stage.pass(1_500);
      await stage.broker.listen();
      const next = await stage.connection('a handshake after the broker came back', 4_000);
      expectThat(next.hello?.resume?.sessionId === grant.sessionId, 'its hello does not resume the session');
    },
  },
];
