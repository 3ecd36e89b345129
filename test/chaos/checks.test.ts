import { describe, expect, it } from 'vitest';
import { checkBeliefs } from '../../chaos/checks/beliefs.js';
import { checkCounts } from '../../chaos/checks/counts.js';
import { checkEnds } from '../../chaos/checks/ends.js';
import { checkOrder, checkUnique } from '../../chaos/checks/epochs.js';
import { checkEvictions } from '../../chaos/checks/evictions.js';
import { checkAboveFence, checkFence } from '../../chaos/checks/fence.js';
import { checkNewest } from '../../chaos/checks/newest.js';
import { checkConfirmed, checkOverlaps, findOverlaps } from '../../chaos/checks/overlaps.js';
import type { Ask, Counts, EndedEvents, Eviction, Grant, History } from '../../chaos/history.js';
import { countedTtlMs, timing } from '../../chaos/timing.js';
import { ServerTexts } from '../../chaos/wire.js';
import { countsOf, faultOf, grantOf, historyOf, holdingOf } from './histories.js';

describe('epochs', () => {
  it('one that is given twice is found, also to users of one org that have nothing to do with each other', () => {
    const history = historyOf();
    history.grants.push(grantOf('pc', 7, 0), grantOf('mac', 7, 100, { user: 'bob' }), grantOf('pc', 8, 200));
    expect(checkUnique(history).map(({ what }) => what)).toEqual(['mac: epoch 7 was given to pc too']);
  });

  it('one that a confirmation gave is found when it is given again, and a later claim below it too', () => {
    const history = historyOf();
    const held = grantOf('pc', 7, 0, { lastEpoch: 20 });
    history.grants.push(held, grantOf('mac', 21, 300));
    history.raises.push({ grant: held, epoch: 20, heardMs: 200 });
    expect([...checkUnique(history), ...checkOrder(history)]).toEqual([]);
    history.grants.push(grantOf('late', 20, 400));
    expect(checkUnique(history).map(({ what }) => what)).toEqual(['pc: epoch 20 was given to late too']);
    expect(checkOrder(history).map(({ user }) => user)).toEqual(['ada']);
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

  it('it may be out of reach at the node that it asks again after its connection was lost', () => {
    const history = takeover(1600);
    history.faults.push(faultOf('link-half-cut-up', 'node-2', 900, 6000));
    expect(found(history)).toHaveLength(1);
    const ask = {
      user: 'ada',
      program: 'workstation',
      machine: 'workstation',
      node: 'node-2',
      isAct: false,
      isAsking: false,
    } as const;
    history.asks.push({ ...ask, askedMs: 950, answer: 'conflict', answeredMs: 1600 });
    expect(found(history)).toEqual([]);
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

  it('a session from before a reign goes on under a higher epoch, and an act between the two did not end it', () => {
    const history = renewedAt(2000);
    history.grants[0] = grantOf('workstation', 1, 0, {
      lastEpoch: 3,
      confirmed: { sentMs: 2000, heardMs: 2004 },
    });
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

describe('nobody stays below the fence', () => {
  const seen = (more: Partial<Grant>) => {
    const history = historyOf();
    history.grants.push(grantOf('workstation', 5, 0, more));
    history.acceptances.push({ user: 'ada', program: 'laptop', epoch: 7, atMs: 1000 });
    return checkAboveFence(history);
  };

  it('is broken by a confirmation below what was accepted before, whatever Redis lost', () => {
    expect(seen({ confirmed: { sentMs: 2000, heardMs: 2004 } })).toHaveLength(1);
  });

  it('is kept by one that was sent before, or that brought an epoch above', () => {
    expect(seen({ confirmed: { sentMs: 1100, heardMs: 2004 } })).toEqual([]);
    expect(seen({ lastEpoch: 9, confirmed: { sentMs: 2000, heardMs: 2004 } })).toEqual([]);
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
      isAsking: false,
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
      isAsking: false,
    };
    history.asks.push({ ...ask, answer: 'conflict', answeredMs: 999 });
    history.adminEvictions.push({ user: 'ada', sentMs: 995, ackMs: 1000, epoch: null });
    expect(checkEvictions(history)).toHaveLength(1);
  });

  it('an order that met nobody is a cause where Redis had forgotten the session', () => {
    const history = evicted('evicted_by_admin');
    history.adminEvictions.push({ user: 'ada', sentMs: 995, ackMs: 1000, epoch: null });
    expect(checkEvictions(history)).toHaveLength(1);
    history.faults.push(faultOf('flushall', 'redis', 900, 901));
    expect(checkEvictions(history)).toEqual([]);
  });

  it('one by a session from before a reign, whose epoch was raised, has a cause', () => {
    const history = historyOf();
    const older = grantOf('workstation', 1, 0, { lastEpoch: 12 });
    const act = grantOf('laptop', 5, 100);
    history.grants.push(older, act);
    history.evictions.push({
      user: 'ada',
      program: 'workstation',
      epoch: 12,
      byEpoch: 13,
      reason: 'taken_over',
      atMs: 400,
    });
    expect(checkEvictions(history)).toHaveLength(1);
    history.raises.push({ grant: act, epoch: 13, heardMs: 410 });
    expect(checkEvictions(history)).toEqual([]);
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
      isAsking: false,
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

describe('beliefs', () => {
  /** Its lease ends at 4000 in Redis; the program counts on it until `untilMs`. */
  function look(untilMs: number): History {
    const history = historyOf();
    const belief = { user: 'ada', program: 'pc', epoch: 7, untilMs };
    const lease = { leases: { ada: 7 }, leaseEnds: { ada: 4000 } };
    history.counts.push(countsOf({ atMs: 2000, ...lease, beliefs: [belief] }));
    return history;
  }

  it('that end before the lease in Redis are fine, and one that goes on is found', () => {
    expect(checkBeliefs(look(3700))).toEqual([]);
    expect(checkBeliefs(look(4001))).toHaveLength(1);
  });

  it('are not compared with the lease of another epoch, nor with a Redis that lost the renewal', () => {
    const another = look(4001);
    another.counts.push({ ...countsOf({ leases: { ada: 8 }, leaseEnds: { ada: 2000 } }), atMs: 2200 });
    expect(checkBeliefs(another)).toHaveLength(1);
    const lost = look(4001);
    lost.faults.push(faultOf('redis-kill', 'redis', 1500, 1600));
    expect(checkBeliefs(lost)).toEqual([]);
  });

  it('may use the margin that the node left out, and not more', () => {
    const history = historyOf();
    const held = holdingOf(grantOf('pc', 7, 0), 3000);
    history.holdings.push({ ...held, beyondNodeMs: 290 });
    expect(checkBeliefs(history)).toEqual([]);
    history.holdings.push({ ...held, beyondNodeMs: 310 });
    expect(checkBeliefs(history)).toHaveLength(1);
  });
});

describe('the newest act', () => {
  /** The laptop takes over at 1000, in a Redis that loses it; the workstation, which goes on as 20, ends it. */
  function lostTo(winner: Partial<Grant> = {}): History {
    const history = historyOf();
    const confirmed = { sentMs: 2000, heardMs: 2004 };
    const older = grantOf('workstation', 1, 0, { lastEpoch: 20, ...winner });
    history.grants.push(older, grantOf('laptop', 2, 1000, { confirmed }));
    history.raises.push({ grant: older, epoch: 20, heardMs: 2100 });
    const end = { user: 'ada', program: 'laptop', epoch: 2, byEpoch: 20, reason: 'taken_over' };
    history.evictions.push({ ...end, atMs: 2110 });
    return history;
  }
  const askOf = (more: Partial<Ask>): Ask => {
    const who = { user: 'ada', program: 'workstation', machine: 'workstation', node: 'node-1' };
    return { ...who, askedMs: 0, isAct: true, isAsking: false, answer: 'welcome', answeredMs: 5, ...more };
  };

  it('that an older one ends is found', () => {
    expect(checkNewest(lostTo())).toHaveLength(1);
  });

  it('ends whatever is older, however its program came back since', () => {
    const history = lostTo();
    history.asks.push(askOf({ askedMs: 1500, answeredMs: 1510 }));
    expect(checkNewest(history)).toEqual([]);
    const reconnect = lostTo();
    reconnect.asks.push(askOf({ askedMs: 1500, answeredMs: 1510, isAct: false }));
    expect(checkNewest(reconnect)).toHaveLength(1);
  });

  it('may be one that was never answered and is carried out late', () => {
    const history = lostTo();
    history.asks.push(askOf({ askedMs: 600, answer: 'none', answeredMs: 700 }));
    expect(checkNewest(history)).toEqual([]);
  });

  it('is not judged where the lease may have run out before the other came back', () => {
    expect(checkNewest(lostTo({ ackMs: 5000 }))).toEqual([]);
  });

  it('is not judged where the seat may have been free by an order', () => {
    const history = lostTo();
    history.adminEvictions.push({ user: 'ada', sentMs: 1500, ackMs: 1510, epoch: 2 });
    expect(checkNewest(history)).toEqual([]);
  });

  it('is not judged where an administrator ended it', () => {
    const history = lostTo();
    history.evictions[0] = { ...(history.evictions[0] as Eviction), reason: 'evicted_by_admin' };
    expect(checkNewest(history)).toEqual([]);
  });
});

describe('ends', () => {
  const looked = (more: Partial<EndedEvents> = {}): EndedEvents => {
    const taken = { taken_over: 2, released: 1 };
    return { atMs: 0, counted: taken, written: 3, events: taken, nameless: [], isTrimmed: false, ...more };
  };
  const found = (endedEvents: EndedEvents[], counts: Counts[] = []) => checkEnds({ counts, endedEvents });

  it('that are all said are fine', () => {
    expect(found([looked()], [countsOf({ ended: 3, written: 3 })])).toEqual([]);
  });

  it('of which one was not written are found at the first look', () => {
    expect(found([], [countsOf({ ended: 3, written: 2 }), countsOf({ ended: 4, written: 3 })])).toHaveLength(
      1,
    );
  });

  it('that are not in the stream under their reason are found, unless it has lost its oldest', () => {
    const events = { taken_over: 1, released: 2 };
    expect(found([looked({ events })])).toHaveLength(2);
    expect(found([looked({ events: {}, isTrimmed: true })])).toEqual([]);
    expect(found([looked({ written: 2, events: {}, isTrimmed: true })])).toHaveLength(1);
  });

  it('that do not say whose they are are found', () => {
    expect(found([looked({ nameless: ['{"type":"ended"}'] })])).toHaveLength(1);
  });
});

describe('what a node sends', () => {
  it('is read from the bytes as they pass, however they are cut', () => {
    const texts: string[] = [];
    const short = '{"type":"recovered"}';
    const long = JSON.stringify({ type: 'lease', text: 'é'.repeat(200) });
    const bytes = Buffer.concat([
      Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
      Buffer.from([0x81, Buffer.byteLength(short)]),
      Buffer.from(short),
      Buffer.from([0x89, 0]),
      Buffer.from([0x81, 126, Buffer.byteLength(long) >> 8, Buffer.byteLength(long) & 0xff]),
      Buffer.from(long),
    ]);
    const wire = new ServerTexts((text) => texts.push(text));
    for (const byte of bytes) wire.feed(Buffer.from([byte]));
    new ServerTexts((text) => texts.push(text)).feed(bytes);
    expect(texts).toEqual([short, long, short, long]);
  });
});
