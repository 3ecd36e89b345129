import { Redis } from 'ioredis';
import { v7 as uuidv7 } from 'uuid';
import { connect, type SessionClient } from '#client/node.js';
import { hourOf, quarterOf } from '../store/keys.js';
import type { Store } from '../store/store.js';

const ORG = 'acme';
const QUOTA = 50;
const ACTOR = 'seed';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PAST_DAYS = 14;
/** Shares of the busiest hour's sessions, by hour of the UTC day. */
const dayShape = [2, 1, 1, 1, 2, 6, 18, 45, 80, 96, 100, 92, 70, 88, 98, 94, 82, 55, 30, 18, 12, 8, 5, 3];
const BUSIEST = 29;

const staff = (
  'ada alan alonzo annie barbara christine dana donald edsger emmy evelyn frances grace hedy ida jean joan john ' +
  'joyce karen katherine ken kurt lynn margaret maria mary niklaus radia robin ruth shannon sophie stephanie tim tony'
).split(' ');
/** Who is at work: seats that come and go while one looks. ada and grace are left to whoever tries the commands. */
const atWork = staff.filter((user) => user !== 'ada' && user !== 'grace').slice(0, 14);
const machines = ['workstation', 'laptop', 'lab-pc'];

/** Gives an empty development Redis an org with licenses and a past, so that there is something to look at. */
export async function seedOffice(store: Store, redisUrl: string, random: () => number): Promise<void> {
  if ((await store.orgs.counts(ORG)).issued > 0) return;
  await store.orgs.change(ORG, { quota: QUOTA }, ACTOR);
  const order = (user: string) => ({ org: ORG, user, actor: ACTOR });
  for (const user of staff) {
    await store.licenses.issue({ ...order(user), id: uuidv7(), requestId: uuidv7() });
  }
  const nowMs = Date.now();
  await store.licenses.setExpiry({ ...order('joyce'), expiresAt: nowMs + 9 * DAY_MS });
  await store.licenses.setExpiry({ ...order('ken'), expiresAt: nowMs + 30 * DAY_MS });
  await store.licenses.suspend({ ...order('tim'), note: 'on leave until spring' });
  await store.licenses.revoke({ ...order('tony'), note: 'left the company' });
  await seedPast(store, redisUrl, nowMs, random);
}

async function seedPast(
  { keys }: Store,
  redisUrl: string,
  nowMs: number,
  random: () => number,
): Promise<void> {
  const redis = new Redis(redisUrl);
  let highest = { peak: 0, peakAt: 0 };
  const writes = redis.pipeline();
  for (let at = nowMs - PAST_DAYS * DAY_MS; at <= nowMs - HOUR_MS; at += HOUR_MS) {
    // A quarter of each hour saw all that there was: so days of any zone can be made of it.
    const quarter = at - (at % HOUR_MS);
    const date = new Date(at);
    const isWeekend = date.getUTCDay() % 6 === 0;
    const share = ((dayShape[date.getUTCHours()] ?? 0) / 100) * (isWeekend ? 0.15 : 0.9 + random() * 0.2);
    const peak = Math.round(BUSIEST * share);
    if (peak > highest.peak) highest = { peak, peakAt: Math.round(at) };
    const counts = {
      peak,
      granted: Math.round(peak * 0.7),
      resumed: Math.round(peak * 0.2),
      'ended:taken_over': Math.round(peak * 0.15),
      'denied:conflict': Math.round(peak * 0.05),
      seatMs: Math.round(peak * 0.8 * HOUR_MS),
    };
    for (const key of [keys.usage(ORG, hourOf(at)), keys.usageOfQuarter(ORG, quarterOf(quarter))]) {
      writes.hset(key, counts);
      writes.pexpire(key, 400 * DAY_MS);
    }
    const present = staff.filter(() => random() < share);
    if (present.length === 0) continue;
    writes.pfadd(keys.users(ORG, hourOf(at).slice(0, 10)), ...present);
    writes.pfadd(keys.usersOfHour(ORG, hourOf(at)), ...present);
    writes.pfadd(keys.usersOfQuarter(ORG, quarterOf(quarter)), ...present);
  }
  writes.hset(keys.counters(ORG), highest);
  await writes.exec();
  await redis.quit();
}

/** Programs of the org's staff that start, move to another machine and stop, until the process ends. */
export function openOffice(
  broker: { readonly url: string; readonly tokenFor: (user: string) => string },
  random: () => number,
): void {
  const desks = new Map<string, { machine: number; seat: SessionClient }>();
  const start = (user: string, machine: number) => {
    const id = `${user}-${machines[machine]}`;
    const seat = connect({
      url: broker.url,
      getToken: () => broker.tokenFor(user),
      machine: { id, name: id, kind: 'physical', os: machine === 1 ? 'macOS' : 'Windows' },
      client: { name: 'office', version: '1' },
    });
    desks.set(user, { machine, seat });
  };
  const act = () => {
    const user = atWork[Math.floor(random() * atWork.length)] ?? 'alan';
    const desk = desks.get(user);
    if (desk === undefined) return start(user, 0);
    // Mostly a walk to another machine: the old one is told that it lost the seat. At times a break.
    if (random() < 0.7) return start(user, (desk.machine + 1) % machines.length);
    desks.delete(user);
    void desk.seat.release();
  };
  for (const user of atWork.slice(0, 9)) start(user, 0);
  setInterval(act, 4000).unref();
}
