import { describe, expect, it } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.js';

const TICK_MS = 10;
const SLOTS = 8;
const ROUND_MS = TICK_MS * SLOTS;

/** A small wheel with its clock in the test's hand, and what has run on it. */
function wheelOf() {
  let nowMs = 5_000;
  const ran: string[] = [];
  const errors: unknown[] = [];
  const wheel = new TimerWheel(
    () => nowMs,
    TICK_MS,
    (error) => errors.push(error),
    SLOTS,
  );
  return {
    wheel,
    ran,
    errors,
    note: (name: string, delayMs: number) => wheel.after(delayMs, () => ran.push(name)),
    /** Time passes with nobody looking, then the wheel catches up at once. */
    stall(ms: number): string[] {
      nowMs += ms;
      wheel.advance();
      return ran.splice(0);
    },
    /** Time passes tick by tick; gives what ran, each with the time at which it did. */
    pass(ms: number): string[] {
      const all: string[] = [];
      for (let passedMs = TICK_MS; passedMs <= ms; passedMs += TICK_MS) {
        nowMs += TICK_MS;
        wheel.advance();
        all.push(...ran.splice(0).map((name) => `${name} at ${passedMs}`));
      }
      return all;
    },
  };
}

describe('the timer wheel', () => {
  it('runs each call at the first tick at or after it is due, in the order of their ticks', () => {
    const { note, pass } = wheelOf();
    note('c', 50);
    note('a', 1);
    note('b', 11);
    note('b too', 20);
    note('now', 0);
    expect(pass(ROUND_MS)).toEqual(['a at 10', 'now at 10', 'b at 20', 'b too at 20', 'c at 50']);
  });

  it('runs nothing twice, and nothing before its tick', () => {
    const { note, stall } = wheelOf();
    note('a', 20);
    expect(stall(19)).toEqual([]);
    expect(stall(1)).toEqual(['a']);
    expect(stall(0)).toEqual([]);
    expect(stall(3 * ROUND_MS)).toEqual([]);
  });

  it('runs after a stall all that came due meanwhile, at once and in order', () => {
    const { note, stall } = wheelOf();
    for (const ms of [60, 10, 40, 20, 50, 30, 70]) note(`${ms}`, ms);
    expect(stall(60)).toEqual(['10', '20', '30', '40', '50', '60']);
    expect(stall(10)).toEqual(['70']);
  });

  it('runs after a stall of more than a round all that came due, and nothing else', () => {
    const { note, stall } = wheelOf();
    const due = Array.from({ length: 3 * SLOTS }, (_, i) => (i + 1) * TICK_MS);
    for (const ms of due) note(`${ms}`, ms);
    note('later', 3 * ROUND_MS + TICK_MS);
    expect(stall(3 * ROUND_MS).sort((a, b) => Number(a) - Number(b))).toEqual(due.map(String));
    expect(stall(TICK_MS)).toEqual(['later']);
  });

  it('leaves what shares a slot with a call that is due for its own round', () => {
    const { note, pass } = wheelOf();
    note('third', 2 * ROUND_MS + 30);
    note('first', 30);
    note('second', ROUND_MS + 30);
    expect(pass(3 * ROUND_MS)).toEqual(['first at 30', 'second at 110', 'third at 190']);
  });

  it('does not run what was cancelled, before its tick or by a call of the same tick', () => {
    const { wheel, note, ran, stall } = wheelOf();
    const before = note('cancelled before', 20);
    wheel.after(20, () => {
      ran.push('canceller');
      same.cancel();
      later.cancel();
    });
    const same = note('same tick', 20);
    const later = note('later tick', 30);
    note('other', 20);
    before.cancel();
    expect(stall(30)).toEqual(['canceller', 'other']);
  });

  it('lets a cancelled or finished call be cancelled again, without harm to its neighbours', () => {
    const { note, stall } = wheelOf();
    const [a, b] = [note('a', 10), note('b', 20)];
    note('c', 20);
    expect(stall(10)).toEqual(['a']);
    a.cancel();
    b.cancel();
    b.cancel();
    expect(stall(10)).toEqual(['c']);
  });

  it('runs what a call puts on it at a later tick, never in the same turn', () => {
    const { wheel, ran, stall } = wheelOf();
    const again = () => {
      ran.push('again');
      wheel.after(0, again);
    };
    wheel.after(10, again);
    expect(stall(10)).toEqual(['again']);
    expect(stall(0)).toEqual([]);
    // After a stall too: one that comes back at once would come back for ever.
    expect(stall(2 * ROUND_MS)).toEqual(['again']);
    expect(stall(TICK_MS)).toEqual(['again']);
  });

  it('goes on with the others where one throws, and reports it', () => {
    const { wheel, note, errors, stall } = wheelOf();
    const fault = new Error('of the call');
    note('before', 10);
    wheel.after(10, () => {
      throw fault;
    });
    note('after', 10);
    note('next', 20);
    expect(stall(20)).toEqual(['before', 'after', 'next']);
    expect(errors).toEqual([fault]);
  });
});
