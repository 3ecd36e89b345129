import { describe, expect, it } from 'vitest';
import { checkCounts } from '../../chaos/checks/counts.js';
import { checkOrder, checkUnique } from '../../chaos/checks/epochs.js';
import { checkEvictions } from '../../chaos/checks/evictions.js';
import { checkFence } from '../../chaos/checks/fence.js';
import { checkConfirmed, checkOverlaps, findOverlaps } from '../../chaos/checks/overlaps.js';
import type { History } from '../../chaos/history.js';
import { countedTtlMs, timing } from '../../chaos/timing.js';
import { countsOf, faultOf, grantOf, historyOf, holdingOf } from './histories.js';

describe('epochs', () => {
  it('one that is given twice is found, also to users of one org that have nothing to do with each other', () => {
    const history = historyOf();
    history.grants.push(grantOf('pc', 7, 0), grantOf('mac', 7, 100, { user: 'bob' }), grantOf('pc', 8, 200));
    expect(checkUnique(history).map(({ what }) => what)).toEqual(['mac: epoch 7 was given to pc too']);
  });

  it('one that is below an earlier grant is found, unless both were asked for at once', () => {
    const history = historyOf();
    history.grants.push(grantOf('pc', 7, 100), grantOf('mac', 6, 103));
    expect(checkOrder(history)).toEqual([]);
    history.grants.push(grantOf('late', 5, 106));
    expect(checkOrder(history)).toHaveLength(1);
  });
});

describe('overlaps', () => {
  /** The laptop takes the seat at 1000; the workstation believes until `toMs`. */
  function takeover(toMs: number): History {
    const history = historyOf();
    const workstation = grantOf('workstation', 1, 0);
    const laptop = grantOf('laptop', 2, 995);
    history.grants.push(workstation, laptop);
    history.holdings.push(holdingOf(workstation, toMs), holdingOf(laptop, 60_000));
    return history;
  }
  const found = (history: History) => checkOverlaps(findOverlaps(history));

  it('a loser that is told soon is what the promises say', () => {
    const history = takeover(1100);
    expect(findOverlaps(history)).toMatchObject([{ excuse: 'notice', fromMs: 1000, toMs: 1100 }]);
    expect(found(history)).toEqual([]);
  });

  it('a loser that is told late without a reason is found', () => {
    expect(found(takeover(1900))).toHaveLength(1);
  });

  it('with notices lost it may go on for a renewal interval and the time of the news, and no longer', () => {
    const history = takeover(1900);
    history.faults.push(faultOf('pubsub-lost', 'node-1', 900, 1500));
    expect(findOverlaps(history)).toMatchObject([{ excuse: 'notice lost' }]);
    expect(found(history)).toEqual([]);
    const longer = takeover(1000 + timing.renewEveryMs + 600);
    longer.faults.push(...history.faults);
    expect(found(longer)).toHaveLength(1);
  });

  it('soon after a FLUSHALL it may not be known to Redis, and goes on until its renewal', () => {
    const history = takeover(1900);
    history.faults.push(faultOf('flushall', 'redis', 700, 701));
    expect(findOverlaps(history)).toMatchObject([{ excuse: 'notice lost' }]);
    expect(found(history)).toEqual([]);
  });

  it('a fault at another node excuses nothing', () => {
    const history = takeover(1900);
    history.faults.push(faultOf('node-stop', 'node-2', 900, 1900));
    expect(found(history)).toHaveLength(1);
  });

  it('out of reach it may go on until its deadline, and no longer', () => {
    const history = takeover(1000 + countedTtlMs);
    history.faults.push(faultOf('link-cut', 'node-1', 900, 6000));
    expect(found(history)).toEqual([]);
    const longer = takeover(1000 + countedTtlMs + 600);
    longer.faults.push(...history.faults);
    expect(found(longer)).toHaveLength(1);
  });

  it('two spans of one program, or of two users, are none', () => {
    const history = historyOf();
    const first = grantOf('pc', 1, 0);
    const second = grantOf('pc', 2, 500);
    history.holdings.push(holdingOf(first, 2000), holdingOf(second, 3000));
    history.holdings.push(holdingOf(grantOf('mac', 3, 0, { user: 'bob' }), 3000));
    expect(findOverlaps(history)).toEqual([]);
  });
});

describe('confirmations', () => {
  function renewedAt(sentMs: number): History {
    const history = historyOf();
    const confirmed = { sentMs, heardMs: sentMs + 4 };
    history.grants.push(grantOf('workstation', 1, 0, { confirmed }), grantOf('laptop', 2, 995));
    return history;
  }

  it('a renewal that is confirmed long after another has the seat is found', () => {
    expect(checkConfirmed(renewedAt(990))).toEqual([]);
    expect(checkConfirmed(renewedAt(2000))).toHaveLength(1);
  });

  it('it is excused where Redis may have forgotten in between', () => {
    const history = renewedAt(2000);
    history.faults.push(faultOf('flushall', 'redis', 1500, 1501));
    expect(checkConfirmed(history)).toEqual([]);
  });

  it('so is one of a session that an administrator ended', () => {
    const history = historyOf();
    history.grants.push(grantOf('pc', 1, 0, { confirmed: { sentMs: 2000, heardMs: 2004 } }));
    history.adminEvictions.push({ user: 'ada', sentMs: 995, ackMs: 1000, epoch: 1 });
    expect(checkConfirmed(history)).toHaveLength(1);
  });
});

describe('the fence', () => {
  it('that goes back is found', () => {
    const history = historyOf();
    history.acceptances.push({ user: 'ada', program: 'laptop', epoch: 2, atMs: 10 });
    history.acceptances.push({ user: 'ada', program: 'workstation', epoch: 1, atMs: 20 });
    expect(checkFence(history)).toHaveLength(1);
  });

  it('that refuses a loser is right, and one that refuses who was granted later is found', () => {
    const history = historyOf();
    history.grants.push(
      grantOf('laptop', 2, 100),
      grantOf('workstation', 1, 0),
      grantOf('locked out', 0, 200),
    );
    const refused = { user: 'ada', highest: 2, atMs: 300 };
    history.rejections.push({ ...refused, program: 'workstation', epoch: 1 });
    expect(checkFence(history)).toEqual([]);
    history.rejections.push({ ...refused, program: 'locked out', epoch: 0 });
    expect(checkFence(history)).toHaveLength(1);
  });
});

describe('evictions', () => {
  function evicted(reason = 'taken_over'): History {
    const history = historyOf();
    history.grants.push(grantOf('workstation', 1, 0));
    history.evictions.push({
      user: 'ada',
      program: 'workstation',
      epoch: 1,
      byEpoch: 2,
      reason,
      atMs: 1010,
    });
    return history;
  }

  it('one without a cause is found', () => {
    expect(checkEvictions(evicted())).toHaveLength(1);
  });

  it('a later claim of the user, an answer to it or none, and an administrator are causes', () => {
    const claimed = evicted();
    claimed.grants.push(grantOf('laptop', 2, 995));
    expect(checkEvictions(claimed)).toEqual([]);
    const unanswered = evicted();
    const ask = {
      user: 'ada',
      program: 'laptop',
      machine: 'laptop',
      node: 'node-2',
      askedMs: 995,
      isAct: true,
    };
    unanswered.asks.push({ ...ask, answer: 'none', answeredMs: null });
    expect(checkEvictions(unanswered)).toEqual([]);
    const ordered = evicted('evicted_by_admin');
    ordered.adminEvictions.push({ user: 'ada', sentMs: 995, ackMs: 1000, epoch: 1 });
    expect(checkEvictions(ordered)).toEqual([]);
  });

  it("another user's claim, one that was refused, and an order that met nobody are none", () => {
    const history = evicted();
    history.grants.push(grantOf('mac', 2, 995, { user: 'bob' }));
    const ask = {
      user: 'ada',
      program: 'laptop',
      machine: 'laptop',
      node: 'node-2',
      askedMs: 995,
      isAct: true,
    };
    history.asks.push({ ...ask, answer: 'conflict', answeredMs: 999 });
    history.adminEvictions.push({ user: 'ada', sentMs: 995, ackMs: 1000, epoch: null });
    expect(checkEvictions(history)).toHaveLength(1);
  });

  it('one as released needs somebody who gave a seat back', () => {
    const history = evicted('released');
    const ask = {
      user: 'ada',
      program: 'laptop',
      machine: 'laptop',
      node: 'node-2',
      askedMs: 995,
      isAct: true,
    };
    history.asks.push({ ...ask, answer: 'none', answeredMs: null });
    expect(checkEvictions(history)).toHaveLength(1);
    history.releases.add('laptop');
    expect(checkEvictions(history)).toEqual([]);
  });
});

describe('counts', () => {
  const counts = countsOf({ granted: 5, reasserted: 1, ended: 4, active: 2, leases: { ada: 1 } });

  it('that fit are fine, also where a lease has ended that is not swept yet', () => {
    expect(checkCounts({ counts: [counts] })).toEqual([]);
  });

  it('that drift, and a lease that is not counted, are found', () => {
    expect(checkCounts({ counts: [counts, { ...counts, granted: 6 }] })).toHaveLength(1);
    expect(checkCounts({ counts: [{ ...counts, leases: { a: 1, b: 2, c: 3 } }] })).toHaveLength(1);
  });
});
