import { type Counts, type Grant, History, type Holding } from '../../chaos/history.js';

/** A history by hand, whose times are ms since its start. */
export function historyOf(): History {
  const history = new History();
  history.startMs = 0;
  return history;
}

/** A grant that was asked for at `askedMs`, welcomed 5 ms later, and whose lease was confirmed until then. */
export function grantOf(program: string, epoch: number, askedMs: number, more: Partial<Grant> = {}): Grant {
  return {
    user: 'ada',
    program,
    machine: program,
    node: 'node-1',
    sessionId: `session-${epoch}`,
    epoch,
    resumed: false,
    shared: false,
    isAct: true,
    askedMs,
    ackMs: askedMs + 5,
    lastEpoch: epoch,
    confirmed: { sentMs: askedMs + 1, heardMs: askedMs + 5 },
    ...more,
  };
}

export function holdingOf(grant: Grant, toMs: number): Holding {
  return { grant, fromMs: grant.ackMs, toMs, how: 'evicted', beyondNodeMs: 0 };
}

export function faultOf(kind: string, target: string, startMs: number, endMs: number) {
  return { kind, target, startMs, endMs, note: '' };
}

export function countsOf(more: Partial<Counts>): Counts {
  const none = { granted: 0, reasserted: 0, ended: 0, active: 0, written: more.ended ?? 0 };
  return { atMs: 0, ...none, leases: {}, leaseEnds: {}, beliefs: [], ...more };
}
