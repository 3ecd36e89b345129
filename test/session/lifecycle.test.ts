import { describe, expect, it } from 'vitest';
import type { Session } from '../../src/session/session.js';
import type { EndedNotice } from '../../src/store/notices.js';
import { HeardLink, Stage } from './stage.js';

const winner = { id: 'laptop', name: 'Laptop' };
const noticeOf = ({ org, user, sessionId, epoch, connection }: Session): EndedNotice => ({
  ...{ type: 'ended', org, user, sessionId, epoch, connection },
  ...{ reason: 'taken_over', by: winner, at: 0, byEpoch: epoch + 1, trace: null },
});

/** As a connection does: when it ends, whoever was served by it hears of it. */
function tellsItsEnd(stage: Stage, { session, link }: ReturnType<Stage['seat']>): void {
  const { end } = link;
  link.end = (reason, notice) => {
    end.call(link, reason, notice);
    stage.lifecycle.disconnected(session, reason);
  };
}

describe('the end of a session', () => {
  const ends: readonly [string, (stage: Stage, session: Session) => unknown, readonly string[]][] = [
    [
      'by a notice',
      ({ lifecycle }, session) => lifecycle.receive(noticeOf(session), 'pubsub'),
      ['session evicted: taken_over'],
    ],
    [
      'by its client',
      ({ lifecycle }, session) => lifecycle.giveBack(session),
      ['session released: released'],
    ],
    [
      'with its connection',
      ({ lifecycle }, session) => lifecycle.disconnected(session, '1006'),
      ['session lost its connection: 1006'],
    ],
    [
      'for want of a lease',
      ({ lifecycle }, session) => lifecycle.fence(session),
      ['session fenced itself: lease_lost', 'session lost its connection: lease_lost'],
    ],
  ];

  it.each(ends)('%s takes it out, stops its timers and is told in the log, once', async (_, end, lines) => {
    const stage = new Stage();
    const seat = stage.seat();
    const { session } = seat;
    tellsItsEnd(stage, seat);
    expect(stage.lifecycle.sessions.size).toBe(1);
    await end(stage, session);
    expect(stage.lines).toEqual(lines);
    expect(stage.lifecycle.sessions.size).toBe(0);
    expect([session.state, session.renewalTimer, session.tokenTimer]).toEqual(['ended', null, null]);
    // Whatever hears of it later says nothing more.
    stage.lifecycle.receive(noticeOf(session), 'pubsub');
    stage.lifecycle.evict(session, { reason: 'taken_over', by: winner, at: 0, epoch: 8 }, 'renewal');
    stage.lifecycle.disconnected(session, '1006');
    expect(stage.lines).toEqual(lines);
  });

  it('is not held up by a Redis that cannot free the seat', async () => {
    const stage = new Stage();
    const { session } = stage.seat();
    stage.release = () => Promise.reject(new Error('out of reach'));
    await stage.lifecycle.giveBack(session);
    expect(stage.lines).toEqual(['release failed: Error: out of reach']);
    expect(stage.lifecycle.sessions.size).toBe(0);
  });

  it('promise 1: does not come from a notice about another grant', () => {
    const stage = new Stage();
    const { session, link } = stage.seat();
    const notice = noticeOf(session);
    stage.lifecycle.receive({ ...notice, connection: 'of another claim' }, 'pubsub');
    stage.lifecycle.receive({ ...notice, sessionId: 'of an earlier session' }, 'pubsub');
    expect([stage.lines, link.ended, session.state]).toEqual([[], null, 'active']);
  });
});

describe('a notice that comes while the claim is under way', () => {
  it('ends the grant that is made, where it is about that one, and no other', () => {
    const stage = new Stage();
    const claims = ['ada', 'bob'].map((user) => {
      const link = new HeardLink();
      const claimant = { org: 'acme', user, sessionId: `of-${user}`, machine: { id: 'pc' }, token: {} };
      return { link, session: stage.lifecycle.begin(claimant, link) };
    });
    const [ada, bob] = claims;
    if (ada === undefined || bob === undefined) throw new Error('two claims are needed');
    stage.lifecycle.receive(noticeOf(ada.session), 'pubsub');
    stage.lifecycle.receive({ ...noticeOf(bob.session), connection: 'of another claim' }, 'pubsub');
    expect([ada.link.ended, bob.link.ended]).toEqual([null, null]);
    for (const { session } of claims)
      session.grant({ sessionId: session.sessionId, epoch: 7, rank: 7, sinceMs: 0 }, stage.nowMs);
    expect(claims.map(({ session }) => stage.lifecycle.endedEarly(session))).toEqual([true, false]);
    expect([ada.link.ended, bob.link.ended]).toEqual(['taken_over', null]);
    // The name of the winner's machine, and not its id.
    expect(ada.link.heard).toMatchObject([{ type: 'evicted', by: { machine: { name: 'Laptop' } } }]);
    expect(JSON.stringify(ada.link.heard)).not.toContain('laptop');
  });
});
