import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdleReport } from '../../packages/client/src/idle-report.js';
import type { ConnectOptions, SessionClient } from '../../packages/client/src/node.js';
import type { ClientMessage } from '../../packages/client/src/protocol/messages.js';
import { eventually } from '../support/eventually.js';
import { observe, ScriptedBroker, welcome } from './scripted-broker.js';

describe('a report of activity', () => {
  const sent: ClientMessage[] = [];
  let report: IdleReport;
  const pass = (ms: number) => vi.advanceTimersByTime(ms);
  const idleTimes = () => sent.map((message) => message.type === 'activity' && message.idleMs);

  beforeEach(() => {
    vi.useFakeTimers();
    sent.length = 0;
    report = new IdleReport((message) => sent.push(message) > 0);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('goes out at once, then once in the interval with the latest time', () => {
    report.begin(1_000);
    report.activity(0);
    pass(300);
    report.activity(0);
    pass(300);
    report.activity(50);
    pass(399);
    expect(idleTimes()).toEqual([0]);
    pass(1);
    expect(idleTimes()).toEqual([0, 450]);
    pass(5_000);
    expect(idleTimes()).toEqual([0, 450]);
  });

  it('takes the latest of what was told, in whatever order', () => {
    report.begin(1_000);
    report.activity(0);
    report.activity(10);
    report.activity(700);
    pass(1_000);
    expect(idleTimes()).toEqual([0, 1_000]);
  });

  it('does not wait after a warning, whether it waited before or comes later', () => {
    report.begin(60_000);
    report.activity(0);
    pass(100);
    report.activity(0);
    pass(100);
    report.warned();
    expect(idleTimes()).toEqual([0, 100]);
    report.activity(0);
    expect(idleTimes()).toEqual([0, 100]);
    report.warned();
    expect(idleTimes()).toEqual([0, 100, 0]);
  });

  it('is none where the session has no limit, and ends with its connection', () => {
    report.activity(0);
    report.begin(undefined);
    report.activity(0);
    report.begin(1_000);
    report.activity(0);
    report.activity(0);
    report.stop();
    pass(5_000);
    report.activity(0);
    expect(idleTimes()).toEqual([0]);
  });
});

describe('a program that tells when a person was at work', () => {
  let broker: ScriptedBroker;
  let client: SessionClient | undefined;
  const idle = { limitMs: 600_000, warnMs: 60_000, reportEveryMs: 60_000 };

  beforeEach(async () => {
    broker = await ScriptedBroker.start();
  });
  afterEach(() => {
    client?.disconnect();
    broker.stop();
  });

  async function seated(options: Partial<ConnectOptions>) {
    const observed = observe(broker.url, options);
    client = observed.client;
    const visit = await broker.visit(1);
    const hello = await visit.hello();
    visit.say({ ...welcome(), idle });
    await observed.state('active');
    return { ...observed, visit, hello };
  }

  it('says so in each hello, in whole milliseconds from 0 on', async () => {
    const times = [12.6, -3, Number.NaN];
    const { visit, hello } = await seated({ idleMs: () => times.shift() ?? 0 });
    expect(hello.idleMs).toBe(13);
    visit.cut();
    const second = await broker.visit(2);
    expect((await second.hello()).idleMs).toBe(0);
    second.cut();
    expect((await (await broker.visit(3)).hello()).idleMs).toBe(0);
  });

  it('gets its seat although that function throws', async () => {
    const { hello } = await seated({
      idleMs: () => {
        throw new Error('on purpose: no such device');
      },
    });
    expect(hello.idleMs).toBeUndefined();
  });

  it('hears a warning with the time that is left, less what it was under way', async () => {
    const { client: seat, visit, event, all } = await seated({ idleMs: () => 0 });
    const warnings: { inMs: number; deadline: number }[] = [];
    seat.on('idleWarning', (warning) => warnings.push(warning));
    visit.say({ type: 'lease', epoch: 7, ttlMs: 30_000, elapsedMs: 9_000 });
    await event('lease');
    visit.say({ type: 'idle_warning', inMs: 60_000, elapsedMs: 4_000 });
    await eventually(() => warnings.length === 1);
    const leftMs = (warnings[0]?.deadline ?? 0) - performance.now();
    expect(warnings[0]?.inMs).toBeGreaterThan(54_000);
    expect(warnings[0]?.inMs).toBeLessThan(55_100);
    expect(leftMs).toBeLessThanOrEqual(warnings[0]?.inMs ?? 0);
    expect(all('error')).toEqual([]);
  });

  it('is final where the session ended for that, and a person may try again', async () => {
    const { client: seat, visit, state } = await seated({ idleMs: () => 0 });
    visit.say({ type: 'evicted', reason: 'idle_timeout', at: 1, epoch: 8 });
    visit.close(4517, 'idle_timeout');
    await state('evicted');
    await eventually(() => visit.closedWith === 4517);
    expect(broker.visits.length).toBe(1);
    seat.retryNow();
    expect((await (await broker.visit(2)).hello()).onConflict).toBe('deny');
  });

  it('sends no activity where it did not tell, or where the seat is gone', async () => {
    const { client: seat, visit } = await seated({});
    seat.activity();
    await visit.ping();
    expect(visit.received.map(({ type }) => type)).toEqual(['hello']);
  });
});
