import type { Order, Report } from './desk.js';
import { LibrarySeat, loadLibrary } from './seat.js';
import { monotonicMs } from './timing.js';

const WORK_EVERY_MS = 40;

/** The programs of one machine of every user, in a process of their own, so that they can be stopped as one. */
async function main(): Promise<void> {
  const [dist = '', beganMs = '0'] = process.argv.slice(2);
  const connect = await loadLibrary(dist, 'node');
  const now = () => monotonicMs() - Number(beganMs);
  const report = (one: Report) => process.send?.(one);
  const seats = new Map<string, LibrarySeat>();
  process.on('message', (order: Order) => {
    if (order.do === 'start') {
      const { name } = order.plan;
      const listener = (event: Report['event']) => report({ name, event });
      seats.set(name, new LibrarySeat(order.plan, { connect, now, listener }));
      return;
    }
    const seat = seats.get(order.name);
    seat?.[order.do]();
    if (order.do === 'crash' || order.do === 'disconnect') seats.delete(order.name);
  });
  setInterval(() => {
    for (const seat of seats.values()) seat.tell();
  }, WORK_EVERY_MS);
  // The checker is gone.
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}

await main();
