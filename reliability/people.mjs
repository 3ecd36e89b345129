import { setTimeout as pause } from 'node:timers/promises';
import { keyRingFromSecret } from '../dist/auth/read-keys.js';
import { mintToken } from '../dist/auth/tokens.js';
import { connect } from '../packages/client/dist/esm/node.js';

const RIVAL_PAUSE_MS = 50;

/** People at their programs, with the client library as it is, and a second machine for some of them that asks for the
 * seat all the time without ever taking it over. */
export class People {
  people = [];
  /** Users whose second machine was let in while the first one counted on its seat. */
  doubles = new Set();
  #isOver = false;
  #rivals = [];

  static async seat(stage, count, rivalCount) {
    const people = new People();
    const [key] = keyRingFromSecret(stage.secret).keys;
    const url = `ws://127.0.0.1:${stage.toNodes.port}/v1/connect`;
    people.dial = (user, machine, onConflict) => {
      const mint = { key, user, org: 'acme', issuer: 'soleseat', audience: 'soleseat' };
      return connect({
        url,
        getToken: () => mintToken({ ...mint, expiresInSeconds: 3600 }),
        machine: { id: machine, name: machine },
        onConflict,
        connectTimeoutMs: 3000,
      });
    };
    for (let i = 0; i < count; i++) people.people.push(people.#sit(`user-${i}`));
    await people.until((person) => person.client.state === 'active');
    for (const person of people.people) person.sessionId = person.client.sessionId;
    for (const person of people.people.slice(0, rivalCount)) people.#rivals.push(people.#compete(person));
    return people;
  }

  /** Waits until it holds for all, or for so long. Gives how long it took, null when it did not come about. */
  async until(condition, withinMs = 60_000) {
    const from = performance.now();
    while (!this.people.every(condition)) {
      if (performance.now() - from > withinMs) return null;
      await pause(10);
    }
    return performance.now() - from;
  }

  /** From now on `noticed` tells of what follows. */
  mark() {
    for (const person of this.people) person.noticed = false;
  }

  noticed() {
    return this.people.filter((person) => person.noticed).length;
  }

  lost() {
    return this.people.filter(({ client, sessionId }) => client.sessionId !== sessionId).length;
  }

  async leave() {
    this.#isOver = true;
    await Promise.all(this.#rivals);
    for (const { client } of this.people) client.disconnect();
  }

  #sit(user) {
    const client = this.dial(user, 'workstation', 'takeover');
    const person = { user, client, sessionId: null, noticed: false };
    for (const event of ['jeopardy', 'reconnecting', 'evicted', 'denied', 'leaseExpired']) {
      client.on(event, () => {
        person.noticed = true;
      });
    }
    return person;
  }

  async #compete({ user, client }) {
    while (!this.#isOver) {
      const rival = this.dial(user, 'laptop', 'deny');
      const answer = await new Promise((resolve) => {
        for (const event of ['welcome', 'conflict', 'denied', 'reconnecting'])
          rival.on(event, () => resolve(event));
      });
      if (answer === 'welcome' && client.holdsLease()) this.doubles.add(user);
      if (answer === 'welcome') await rival.release();
      rival.disconnect();
      await pause(RIVAL_PAUSE_MS);
    }
  }
}
