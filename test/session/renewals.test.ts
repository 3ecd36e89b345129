import { describe, expect, it } from 'vitest';
import type { RenewAnswer } from '../../src/store/lease-types.js';
import { kept, RENEW_EVERY_MS, Stage, TTL_MS } from './stage.js';

/** What of the TTL a node counts on: the rest is for clocks that run at different speeds. */
const COUNTED_ON_MS = 27_000;
const FIRST_RENEWAL_MS = 7_500;

const leases = (heard: readonly { readonly type: string }[]) => heard.filter(({ type }) => type === 'lease');

describe('promise 6: the deadline of a lease', () => {
  it('is nine tenths of the TTL after a renewal was sent, however late the reply comes', async () => {
    const stage = new Stage();
    const { session, link } = stage.seat();
    const replies: ((answers: RenewAnswer[]) => void)[] = [];
    stage.renew = () => new Promise((resolve) => replies.push(resolve));
    await stage.pass(FIRST_RENEWAL_MS);
    const [sentMs = 0] = stage.sentMs;
    expect(stage.sentMs).toHaveLength(1);
    await stage.pass(1_900);
    replies[0]?.([kept]);
    await stage.pass(0);
    expect(session.deadlineMs).toBe(sentMs + COUNTED_ON_MS);
    // The client counts from when it hears this, and so is told what is left.
    expect(leases(link.heard)).toEqual([{ type: 'lease', epoch: 7, ttlMs: COUNTED_ON_MS - 1_900 }]);
  });

  it('is moved by every confirmed renewal, each an interval after the last reply', async () => {
    const stage = new Stage();
    const { session, link } = stage.seat();
    await stage.pass(FIRST_RENEWAL_MS + 5 * RENEW_EVERY_MS);
    expect(stage.sentMs).toHaveLength(6);
    expect(session.deadlineMs).toBe((stage.sentMs.at(-1) ?? 0) + COUNTED_ON_MS);
    expect(leases(link.heard)).toHaveLength(6);
    expect(session.state).toBe('active');
  });

  it('is not moved by a renewal that failed', async () => {
    const stage = new Stage({ jeopardyGraceMs: 60_000 });
    const { session } = stage.seat();
    const { deadlineMs } = session;
    stage.renew = () => Promise.reject(new Error('Redis is out of reach'));
    await stage.pass(20_000);
    expect(stage.sentMs.length).toBeGreaterThan(10);
    expect(session.deadlineMs).toBe(deadlineMs);
  });
});

describe('promise 6: a session whose lease cannot be confirmed', () => {
  const outOfReach = () => Promise.reject(new Error('Redis is out of reach'));

  it('ends at the deadline where there is no grace, before the lease can run out in Redis', async () => {
    const stage = new Stage();
    const { link } = stage.seat();
    const claimedMs = stage.nowMs;
    stage.renew = outOfReach;
    await stage.pass(COUNTED_ON_MS - 20);
    expect(link.ended).toBeNull();
    await stage.pass(20);
    expect(link.ended).toBe('lease_lost');
    expect(stage.nowMs).toBeLessThan(claimedMs + TTL_MS);
    expect(link.heard).toEqual([{ type: 'jeopardy', graceMs: COUNTED_ON_MS - FIRST_RENEWAL_MS }]);
  });

  it('ends at the deadline and the grace, counted from when the last confirmed renewal was sent', async () => {
    const stage = new Stage({ jeopardyGraceMs: 60_000 });
    const { link } = stage.seat();
    await stage.pass(FIRST_RENEWAL_MS);
    expect(stage.sentMs).toHaveLength(1);
    stage.renew = outOfReach;
    await stage.pass(COUNTED_ON_MS + 60_000 - 20);
    expect(link.ended).toBeNull();
    await stage.pass(20);
    expect(link.ended).toBe('lease_lost');
  });

  it('is told of jeopardy once, then that it has recovered, with the new deadline', async () => {
    const stage = new Stage({ jeopardyGraceMs: 60_000 });
    const { session, link } = stage.seat();
    stage.renew = outOfReach;
    await stage.pass(30_000);
    expect(session.state).toBe('jeopardy');
    stage.renew = async (held) => held.map(() => kept);
    await stage.pass(1_000);
    expect(session.state).toBe('active');
    expect(link.heard.map(({ type }) => type)).toEqual(['jeopardy', 'recovered', 'lease']);
    expect(session.deadlineMs).toBe((stage.sentMs.at(-1) ?? 0) + COUNTED_ON_MS);
    expect(link.ended).toBeNull();
  });
});
