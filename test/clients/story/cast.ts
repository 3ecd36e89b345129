import type { SetClock } from '../../../src/kit/set-clock.js';
import { eventually } from '../../support/eventually.js';
import { tokenFor } from '../../support/node.js';
import type { NodeProcess } from '../../support/node-process.js';
import type { TokenServer } from '../../support/token-server.js';
import type { UserJudge } from './judge.js';
import type { Seat } from './seat.js';

/** A user with two machines, both with programs of one library. */
export interface Cast {
  readonly user: string;
  readonly judge: UserJudge;
  readonly tokens: TokenServer;
  /** That of the desk. */
  readonly clock: SetClock;
  /** The machine at which the user works. The story comes back to it after each fault. */
  readonly desk: Seat;
  /** The machine that tries to get in. */
  readonly laptop: Seat;
}

/** The judge has found a program that breaks a promise. */
export class BrokenPromise extends Error {}

/** Where it takes longer, a person clicks once more. */
const CLICK_AGAIN_MS = 3_000;

/** Waits, and throws what the judge finds meanwhile. */
export function until<T>(cast: Cast, what: string, condition: () => T | Promise<T>): Promise<T> {
  return eventually(`${what} (${cast.user})`, () => {
    refuseFindings(cast);
    for (const { program } of [cast.desk, cast.laptop]) program?.refuseEnd();
    return condition();
  });
}

export function refuseFindings({ user, judge }: Cast): void {
  if (judge.findings.length > 0) throw new BrokenPromise(`${user}: ${judge.findings.join('\n')}`);
}

/** A person sits down at the machine and chooses "use here". */
export async function takeOver(cast: Cast, seat: Seat): Promise<void> {
  let clickedMs = Number.NEGATIVE_INFINITY;
  await until(cast, `the ${seat.machine} to get the seat by a takeover`, () => {
    if (seat.holds) return true;
    if (performance.now() - clickedMs > CLICK_AGAIN_MS) {
      clickedMs = performance.now();
      seat.tell('takeover');
    }
    return false;
  });
}

/** The desk has the seat, as the programs, the wire and both brokers say, and the laptop knows that it has none. */
export async function settled(cast: Cast, brokers: readonly NodeProcess[]): Promise<void> {
  const { desk, laptop } = cast;
  await until(cast, 'the desk alone to have the seat', async () => {
    if (!desk.holds || laptop.holds) return false;
    const holders = await Promise.all(brokers.map((broker) => holderOf(cast, broker)));
    return holders.every((holder) => holder !== null && holder.sessionId === desk.sessionId) && desk.holds;
  });
  for (const { parts } of [desk, laptop]) parts.judge.settled();
}

interface Holder {
  readonly sessionId: string;
  readonly machine: { readonly name?: string };
}

/** What a broker tells the user. */
export async function holderOf({ user }: Cast, broker: NodeProcess): Promise<Holder | null> {
  const response = await fetch(`http://127.0.0.1:${broker.ports.public}/v1/session`, {
    headers: { authorization: `Bearer ${tokenFor(user)}` },
  });
  if (response.status === 503) return null;
  if (response.status !== 200) throw new Error(`/v1/session answered ${response.status}`);
  return ((await response.json()) as { readonly holder: Holder | null }).holder;
}

export async function closeCast({ desk, laptop, tokens, clock }: Cast): Promise<void> {
  await Promise.all([desk.close(), laptop.close()]);
  tokens.stop();
  clock.end();
}
