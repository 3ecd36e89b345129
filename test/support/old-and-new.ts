import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { ask } from './admin.js';
import { Desktop, resume } from './desktop.js';
import { eventually } from './eventually.js';
import { adminTokenFor, tokenFor } from './node.js';
import type { NodeProcess } from './node-process.js';

const PAUSE_MS = 20;
const KEEPERS = 20;
const FIGHTS = ['fight-0', 'fight-1', 'fight-2'];

/** Work that goes on while nodes of two versions are replaced by each other. Whatever goes wrong is in `faults`. */
export class Work {
  readonly faults: string[] = [];
  /** Epochs of each fight, in their order. */
  readonly epochs = new Map<string, number[]>(FIGHTS.map((user) => [user, []]));
  readonly issued: string[] = [];
  #goesOn = true;
  #turn = 0;
  readonly #done: Promise<unknown>[] = [];

  private constructor(private readonly nodes: () => readonly NodeProcess[]) {
    onTestFinished(() => {
      this.#goesOn = false;
    });
  }

  static begin(nodes: () => readonly NodeProcess[]): Work {
    const work = new Work(nodes);
    const keepers = Array.from({ length: KEEPERS }, (_, i) => work.#keep(`keeper-${i}`));
    work.#done.push(...keepers, ...FIGHTS.map((user) => work.#fight(user)), work.#come(), work.#issue());
    for (const one of work.#done)
      one.catch((error: unknown) => {
        work.faults.push(String(error));
      });
    return work;
  }

  /** Waits until each fight has gone on for so many rounds more: on all nodes, as they take turns. */
  async goesOnFor(rounds: number): Promise<void> {
    const counts = () => [...this.epochs.values()].map(({ length }) => length);
    const from = counts();
    const issued = this.issued.length;
    await eventually('the work goes on', () => {
      const isFarther = counts().every((count, i) => count >= (from[i] ?? 0) + rounds);
      return this.faults.length > 0 || (isFarther && this.issued.length >= issued + 2);
    });
  }

  async end(): Promise<void> {
    this.#goesOn = false;
    await Promise.all(this.#done);
  }

  /** The nodes take turns. */
  #next(): NodeProcess | undefined {
    const nodes = this.nodes();
    return nodes[this.#turn++ % nodes.length];
  }

  /** Says hello at one node after the other, as programs do whose handshake is refused for now. */
  async #hello(say: (port: number) => Promise<Desktop>): Promise<Desktop | null> {
    while (this.#goesOn) {
      const desktop = await say(this.#next()?.ports.public ?? 0).catch(() => null);
      await desktop?.until(() => desktop.received.length > 0 || desktop.closed !== null);
      const { closed } = desktop ?? {};
      if (desktop?.find('welcome') !== undefined) return desktop;
      // Final closes, and conflicts, are the business of who asked.
      if (desktop && (!closed || closed.code >= 4500)) return desktop;
      await pause(PAUSE_MS);
    }
    return null;
  }

  /** One session through it all: it moves from node to node, and keeps its sessionId. */
  async #keep(user: string): Promise<void> {
    let desktop = await this.#hello((port) => Desktop.hello(port, user, `pc-${user}`));
    const sessionId = desktop?.find('welcome')?.sessionId;
    while (desktop !== null) {
      const held: Desktop = desktop;
      while (this.#goesOn && held.closed === null) await pause(PAUSE_MS);
      if (!this.#goesOn) break;
      if (held.find('evicted'))
        this.faults.push(`${user} was evicted: ${JSON.stringify(held.find('evicted'))}`);
      if (held.closed?.code !== 1012)
        this.faults.push(`${user} was closed with ${JSON.stringify(held.closed)}`);
      desktop = await this.#hello((port) => resume(port, user, `pc-${user}`, held));
      const again = desktop?.find('welcome');
      if (desktop !== null && (again?.sessionId !== sessionId || !again?.resumed))
        this.faults.push(`${user} did not resume: ${JSON.stringify(desktop.received)}`);
    }
    if (desktop?.find('evicted')) this.faults.push(`${user} was evicted`);
    desktop?.ws.terminate();
  }

  /** Two machines that take one seat from each other. */
  async #fight(user: string): Promise<void> {
    let holder: Desktop | null = null;
    for (let round = 0; this.#goesOn; round += 1) {
      const taker: Desktop | null = await this.#hello((port) =>
        Desktop.hello(port, user, `machine-${round % 2}`),
      );
      const epoch = taker?.find('welcome')?.epoch;
      if (taker === null) break;
      if (epoch === undefined) this.faults.push(`${user} got no seat: ${JSON.stringify(taker.closed)}`);
      else this.epochs.get(user)?.push(epoch);
      const loser: Desktop | null = holder;
      // Its node may have drained meanwhile: then it was closed before anybody took the seat.
      if (loser !== null) await loser.until(() => loser.closed !== null);
      holder = taker;
    }
    holder?.ws.terminate();
  }

  /** Somebody who comes and goes. */
  async #come(): Promise<void> {
    for (let round = 0; this.#goesOn; round += 1) {
      const guest = await this.#hello((port) => Desktop.hello(port, `guest-${round % 5}`, 'pc'));
      guest?.say({ type: 'release' });
      await guest?.until(() => guest.closed !== null);
      await pause(PAUSE_MS);
    }
  }

  /** The license desk issues, suspends, reinstates and revokes. */
  async #issue(): Promise<void> {
    const desk = '/v1/admin/orgs/desk/licenses';
    const order = async (path: string, body: object, key: string) => {
      while (this.#goesOn) {
        const node = this.#next();
        const token = adminTokenFor('admin');
        const headers = { 'idempotency-key': key };
        const options = { token, body, headers };
        const answer = node && (await ask(node, 'POST', path, options).catch(() => null));
        if (answer && answer.status < 300) return;
        // Its answer may have been lost with its node.
        if (answer && answer.status !== 503 && answer.status !== 409)
          this.faults.push(`${path}: ${answer.status} ${answer.text}`);
        if (answer?.status === 409) return;
        await pause(PAUSE_MS);
      }
    };
    for (let round = 0; this.#goesOn; round += 1) {
      const user = `user-${round}`;
      await order(desk, { user }, user);
      this.issued.push(user);
      if (round % 3 === 0) await order(`${desk}/${user}/suspend`, {}, `s-${user}`);
      if (round % 6 === 0) await order(`${desk}/${user}/reinstate`, {}, `r-${user}`);
      if (round % 4 === 0) await order(`${desk}/${user}/revoke`, {}, `x-${user}`);
      const visitor = await this.#hello(async (port) => {
        const desktop = await Desktop.open(port, tokenFor(user, 'desk'));
        desktop.say({ type: 'hello', machine: { id: 'pc' } });
        return desktop;
      });
      visitor?.ws.terminate();
    }
  }
}
