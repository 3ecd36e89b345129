import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/base/log.js';
import { Standstill } from '../../src/base/standstill.js';

/** A watch whose clocks are in the test's hand; its turns are the real loop's. */
function watch() {
  const time = { monotonicMs: 5000, systemMs: 1_000_000 };
  const pass = (monotonicMs: number, systemMs = monotonicMs) => {
    time.monotonicMs += monotonicMs;
    time.systemMs += systemMs;
  };
  const standstill = new Standstill({
    clock: () => time.monotonicMs,
    systemMs: () => time.systemMs,
    log: createLog('silent', 'test'),
  });
  return { standstill, pass };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a standstill', () => {
  it('is noticed by the first look after a second, and not after less', () => {
    const { standstill, pass } = watch();
    for (let i = 0; i < 5; i++) {
      pass(999);
      expect(standstill.look()).toBe(false);
    }
    pass(1000);
    expect(standstill.look()).toBe(true);
    expect(standstill.count).toBe(1);
  });

  it('is noticed where the monotonic clock stood still too, as in sleep; a small step of the wall clock is none', () => {
    const { standstill, pass } = watch();
    pass(100, 1900);
    expect(standstill.look()).toBe(false);
    pass(100, -3_600_000);
    expect(standstill.look()).toBe(false);
    pass(100, 60_000);
    expect(standstill.look()).toBe(true);
  });

  it('lets nobody act before nothing has come in for some turns', async () => {
    const { standstill, pass } = watch();
    pass(1000);
    standstill.look();
    let acted = 0;
    standstill.afterReading(() => acted++);
    for (let i = 0; i < 20; i++) {
      await turn();
      standstill.heard();
    }
    expect(acted).toBe(0);
    expect(standstill.look()).toBe(true);
    for (let i = 0; i < 3; i++) await turn();
    expect(acted).toBe(1);
    expect(standstill.look()).toBe(false);
    standstill.afterReading(() => acted++);
    expect(acted).toBe(2);
  });

  it('ends its reading after a second at the latest, while newcomers storm the node', async () => {
    const { standstill, pass } = watch();
    pass(1000);
    standstill.look();
    let acted = 0;
    standstill.afterReading(() => acted++);
    for (let i = 0; i < 9; i++) {
      pass(100);
      await turn();
      standstill.heard();
      standstill.look();
    }
    expect(acted).toBe(0);
    pass(100);
    await turn();
    expect(acted).toBe(1);
  });

  it('that comes while another is being read begins the reading anew, and is counted', async () => {
    const { standstill, pass } = watch();
    pass(1000);
    standstill.look();
    let acted = 0;
    standstill.afterReading(() => acted++);
    await turn();
    await turn();
    pass(1000);
    expect(standstill.look()).toBe(true);
    await turn();
    await turn();
    expect([acted, standstill.count]).toEqual([0, 2]);
    await turn();
    expect(acted).toBe(1);
  });
});
