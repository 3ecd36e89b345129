import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { seatAll } from '../support/crowd.js';
import { Desktop, resume } from '../support/desktop.js';
import { PATIENT } from '../support/node.js';
import { NodeProcess } from '../support/node-process.js';
import { useRedis } from '../support/redis.js';

const SESSIONS = 2_000;
/** Between two claims of a rival, so that it does not take all the time there is. */
const PAUSE_MS = 20;
const TIME_LIMIT_MS = 180_000;
const long = {
  ...PATIENT,
  // All these clients live in one process, which may be slow to say hello.
  SOLESEAT_HELLO_TIMEOUT_MS: '60000',
};
const redis = useRedis();

/** As programs do: a handshake that is refused for now is made again. All of these are in one process, which is slow. */
async function resumeInTheEnd(port: number, user: string, lost: Desktop): Promise<Desktop> {
  for (;;) {
    try {
      return await resume(port, user, `pc-${user}`, lost);
    } catch (error) {
      if (!/408|503/.test(String(error))) throw error;
      await pause(PAUSE_MS);
    }
  }
}

describe('promise 12: drain without loss', { timeout: TIME_LIMIT_MS }, () => {
  it('2,000 sessions are told with a spread, all resume elsewhere, and the node ends with 0', async () => {
    const [leaving, staying] = await Promise.all([
      NodeProcess.start(redis.url, { ...long, SOLESEAT_DRAIN_MS: '3000' }),
      NodeProcess.start(redis.url, long),
    ]);
    const users = Array.from({ length: SESSIONS }, (_, i) => `drained-${i}`);
    const before = await seatAll(leaving.ports.public, users, 100);
    const toldMs: number[] = [];
    const moved = before.map(async (desktop, i) => {
      await desktop.told('draining');
      toldMs.push(performance.now());
      expect((await desktop.close()).code).toBe(1012);
      const again = await resumeInTheEnd(staying.ports.public, users[i] ?? '', desktop);
      const { sessionId, resumed } = await again.told('welcome');
      return resumed && sessionId === desktop.find('welcome')?.sessionId;
    });
    leaving.signal('SIGTERM');
    expect((await Promise.all(moved)).every((isSame) => isSame)).toBe(true);
    expect(await leaving.ended()).toBe(0);
    expect((toldMs.at(-1) ?? 0) - (toldMs[0] ?? 0)).toBeGreaterThan(1500);
    expect(before.filter((desktop) => desktop.find('evicted') !== undefined)).toEqual([]);
    const counters = await redis.client.hgetall('soleseat:{acme}:counters');
    expect(counters).toMatchObject({ granted: String(SESSIONS), resumed: String(SESSIONS) });
    expect(Object.keys(counters).filter((name) => name.startsWith('ended:'))).toEqual([]);
    await staying.kill();
  });

  it('while three nodes are restarted one by one, another machine never finds the seat free', async () => {
    const start = () => NodeProcess.start(redis.url, { ...long, SOLESEAT_DRAIN_MS: '500' });
    const nodes = await Promise.all([start(), start(), start()]);
    const users = Array.from({ length: 30 }, (_, i) => `rolled-${i}`);
    const portOf = (i: number) => nodes[i % 3]?.ports.public ?? 0;
    const current = await Promise.all(users.map((user, i) => Desktop.hello(portOf(i), user, 'workstation')));
    const sessionIds = (await Promise.all(current.map((desktop) => desktop.told('welcome')))).map(
      ({ sessionId }) => sessionId,
    );
    const places = users.map((_, i) => i % 3);
    let isOver = false;
    let asked = 0;
    /** Where a person would be let in, were the seat free for a moment. */
    const rival = async () => {
      const found: string[] = [];
      for (let i = 0; !isOver; i++) {
        const visitor = await Desktop.hello(portOf(i), users[i % 30] ?? '', 'laptop', {
          onConflict: 'deny',
        }).catch(() => null);
        await pause(PAUSE_MS);
        if (visitor === null) continue;
        await visitor.until(() => visitor.received.length > 0 || visitor.closed !== null);
        if (visitor.find('welcome') !== undefined) found.push(users[i % 30] ?? '');
        if (visitor.find('conflict') !== undefined) asked++;
        visitor.ws.terminate();
      }
      return found;
    };
    const rivals = Promise.all([rival(), rival()]);
    for (let i = 0; i < 3; i++) {
      const leaving = nodes[i];
      if (leaving === undefined) throw new Error('three were started');
      const mine = current.map((desktop, at) => ({ desktop, at })).filter(({ at }) => places[at] === i);
      leaving.signal('SIGTERM');
      await Promise.all(
        mine.map(async ({ desktop, at }) => {
          await desktop.close();
          const again = await resume(portOf(i + 1), users[at] ?? '', 'workstation', desktop);
          current[at] = again;
          places[at] = (i + 1) % 3;
          expect((await again.told('welcome')).sessionId).toBe(sessionIds[at]);
        }),
      );
      expect(await leaving.ended()).toBe(0);
      nodes[i] = await start();
    }
    isOver = true;
    expect(await rivals).toEqual([[], []]);
    expect(asked).toBeGreaterThan(20);
    expect(current.map((desktop) => desktop.closed)).toEqual(users.map(() => null));
    await Promise.all(nodes.map((node) => node.kill()));
  });
});
