import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { Desktop } from './desktop.js';
import { tokenFor } from './node.js';

/** Between two claims of a rival. */
const PAUSE_MS = 20;

interface Member {
  readonly org: string;
  readonly user: string;
  readonly desktop: Desktop;
}

/** Says hello for a user of any org. */
export async function helloOf(
  port: number,
  org: string,
  user: string,
  machine = `pc-${user}`,
): Promise<Desktop> {
  const desktop = await Desktop.open(port, tokenFor(user, org));
  desktop.say({ type: 'hello', machine: { id: machine, name: machine } });
  return desktop;
}

/** Users of acme at their machines, a few at a time: a burst of handshakes is for another test. */
export async function seatAll(port: number, users: readonly string[], atOnce = 25): Promise<Desktop[]> {
  const desktops: Desktop[] = [];
  for (let from = 0; from < users.length; from += atOnce) {
    const group = users.slice(from, from + atOnce);
    const seated = await Promise.all(group.map((user) => Desktop.hello(port, user, `pc-${user}`)));
    await Promise.all(seated.map((desktop) => desktop.told('welcome')));
    desktops.push(...seated);
  }
  return desktops;
}

/** Many people at work, who should notice as little as possible of what happens to Redis. */
export class Crowd {
  private constructor(readonly members: readonly Member[]) {}

  static async seat(ports: readonly number[], orgs: readonly string[], usersPerOrg: number): Promise<Crowd> {
    const places = orgs.flatMap((org) =>
      Array.from({ length: usersPerOrg }, (_, i) => ({ org, user: `u${i}` })),
    );
    const members = await Promise.all(
      places.map(async ({ org, user }, i) => ({
        org,
        user,
        desktop: await helloOf(ports[i % ports.length] ?? 0, org, user),
      })),
    );
    await Promise.all(members.map(({ desktop }) => desktop.told('welcome')));
    return new Crowd(members);
  }

  /** Waits until each has had a renewal confirmed from now on. */
  async renewed(): Promise<void> {
    await Promise.all(
      this.members.map(({ desktop }) => {
        const from = desktop.received.length;
        return desktop.until(
          () => desktop.closed !== null || desktop.received.slice(from).some(({ type }) => type === 'lease'),
        );
      }),
    );
  }

  /** Who lost a seat, and how. */
  lost(): string[] {
    return this.members
      .filter(({ desktop }) => desktop.closed !== null || desktop.find('evicted') !== undefined)
      .map(({ org, user, desktop }) => `${org}/${user}: ${JSON.stringify(desktop.closed)}`);
  }

  /** Who was told of jeopardy. */
  endangered(): readonly Member[] {
    return this.members.filter(({ desktop }) => desktop.find('jeopardy') !== undefined);
  }

  /** The longest time between two lease messages of a member, as the node wrote them. */
  longestGapMs(): number {
    const gaps = this.members.flatMap(({ desktop }) => {
      const written = desktop.received.flatMap((one) => (one.type === 'lease' ? [one.elapsedMs ?? 0] : []));
      return written.slice(1).map((at, index) => at - (written[index] ?? 0));
    });
    return Math.max(0, ...gaps);
  }

  leave(): void {
    for (const { desktop } of this.members) desktop.ws.terminate();
  }
}

/** People who keep taking one seat from each other on two machines, and what they were granted. */
export class Rivals {
  readonly grants: { readonly org: string; readonly epoch: number }[] = [];
  refused = 0;
  #goesOn = true;
  readonly #done: Promise<unknown>;

  constructor(
    private readonly ports: readonly number[],
    orgs: readonly string[],
  ) {
    this.#done = Promise.all(orgs.map((org) => this.#fight(org)));
    // `end` tells of it; until then it is nobody's unhandled rejection.
    this.#done.catch(() => {});
    // A test that fails in the midst of a fight leaves no fight to the next one.
    onTestFinished(() => {
      this.#goesOn = false;
    });
  }

  /** Ends the fight; rejects when one of them met anything but a welcome or a refusal for now. */
  async end(): Promise<void> {
    this.#goesOn = false;
    await this.#done;
  }

  async #fight(org: string): Promise<void> {
    for (let round = 0; this.#goesOn; round++) {
      const port = this.ports[round % this.ports.length] ?? 0;
      let desktop: Desktop;
      try {
        desktop = await helloOf(port, org, 'rival', `machine-${round % 2}`);
      } catch (error) {
        // The handshake: 503 while Redis is known to be away.
        if (!String(error).includes('503')) throw error;
        this.refused++;
        await pause(PAUSE_MS);
        continue;
      }
      await desktop.until(() => desktop.find('welcome') !== undefined || desktop.closed !== null);
      const welcome = desktop.find('welcome');
      if (welcome !== undefined) this.grants.push({ org, epoch: welcome.epoch });
      else if (desktop.closed?.code === 1013) this.refused++;
      else throw new Error(`the rival was closed with ${JSON.stringify(desktop.closed)}`);
      await pause(PAUSE_MS);
    }
  }
}

/** Promise 8: whatever was lost meanwhile, no epoch of an org was granted a second time. */
export function expectNoEpochTwice({ grants }: Rivals): void {
  const epochs = grants.map(({ org, epoch }) => `${org} ${epoch}`);
  expect(epochs.length).toBeGreaterThan(0);
  expect(new Set(epochs).size).toBe(epochs.length);
}
