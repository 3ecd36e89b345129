import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Heartbeat } from '../../packages/client/src/heartbeat.js';
import { welcome } from './scripted-broker.js';

const conflict = { type: 'conflict', holder: { machine: {}, since: 1 } } as const;
const lease = { type: 'lease', epoch: 7, ttlMs: 30_000 } as const;
/** Beyond every limit, the event loop gets this to read what lies there. */
const readMs = 250;

let heartbeat: Heartbeat;
const onSilent = vi.fn();

/** How long the broker may be silent from now on. */
function patienceMs(): number | null {
  const startMs = performance.now();
  let endMs: number | null = null;
  onSilent.mockImplementation(() => {
    endMs = performance.now() - startMs - readMs;
  });
  vi.advanceTimersByTime(3_600_000);
  return endMs;
}

beforeEach(() => {
  vi.useFakeTimers();
  heartbeat = new Heartbeat(onSilent);
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the heartbeat', () => {
  it('may stay away for two and a half intervals', () => {
    heartbeat.heard(welcome());
    expect(patienceMs()).toBe(25_000);
  });

  it('begins anew with every renewal', () => {
    heartbeat.heard(welcome());
    vi.advanceTimersByTime(24_000);
    heartbeat.heard(lease);
    expect(patienceMs()).toBe(25_000);
  });

  it('is not waited for behind an eviction: the close follows at once', () => {
    heartbeat.heard(welcome());
    heartbeat.heard({ type: 'evicted', reason: 'taken_over', at: 1, epoch: 8 });
    expect(patienceMs()).toBe(2_000);
  });

  it('leaves a node that renews often the time to tell that Redis does not answer', () => {
    heartbeat.heard(welcome({ renewEveryMs: 500 }));
    expect(patienceMs()).toBe(5_000);
  });

  it('may stay away in jeopardy for as long as the broker said, and not after it', () => {
    heartbeat.heard(welcome());
    heartbeat.heard({ type: 'jeopardy', graceMs: 60_000 });
    expect(patienceMs()).toBe(60_000);
    heartbeat.heard({ type: 'jeopardy', graceMs: 60_000 });
    heartbeat.heard({ type: 'recovered' });
    heartbeat.heard(lease);
    expect(patienceMs()).toBe(25_000);
  });

  it('fits a timer, however long the grace', () => {
    heartbeat.heard({ type: 'jeopardy', graceMs: 1e15 });
    expect(patienceMs()).toBeNull();
  });

  it('is not that of the connection before', () => {
    heartbeat.heard(welcome());
    heartbeat.stop();
    expect(patienceMs()).toBeNull();
  });

  it('is read in a conflict off the pings, where they show', () => {
    heartbeat.heard(welcome());
    heartbeat.heard(conflict);
    expect(patienceMs()).toBeNull();
    heartbeat.pinged();
    vi.advanceTimersByTime(10_000);
    heartbeat.pinged();
    expect(patienceMs()).toBe(25_000);
  });

  it('is waited for longer in a conflict where no interval was ever told', () => {
    heartbeat.heard(conflict);
    heartbeat.pinged();
    expect(patienceMs()).toBe(150_000);
  });

  it('is read off the renewals alone once the seat is here', () => {
    heartbeat.heard(conflict);
    heartbeat.heard(welcome());
    vi.advanceTimersByTime(20_000);
    heartbeat.pinged();
    expect(patienceMs()).toBe(5_000);
  });
});
