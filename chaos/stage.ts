import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { BrokerNode } from './broker-node.js';
import { Desk } from './desk.js';
import type { History } from './history.js';
import type { Random } from './random.js';
import { Store } from './store.js';

/** The broker nodes and their Redis, all real processes. */
export class Stage {
  /** False once no fault may begin and no node may be waited for any more. */
  isOn = true;
  readonly #haste = new AbortController();
  readonly #lanes = new Map<string, Promise<void>>();

  private constructor(
    readonly store: Store,
    readonly nodes: readonly BrokerNode[],
    /** Null where no fault needs it. */
    readonly desk: Desk | null,
  ) {
    // As many wait at once as there are faults in the plan.
    setMaxListeners(0, this.#haste.signal);
  }

  static async start(options: {
    readonly dist: string;
    readonly nodeCount: number;
    readonly history: History;
    readonly hasDesk: boolean;
  }): Promise<Stage> {
    const { dist, nodeCount, history, hasDesk } = options;
    const store = await Store.start();
    const nodes: BrokerNode[] = [];
    let desk: Desk | null = null;
    try {
      if (hasDesk) desk = await Desk.start(dist, history);
      for (let i = 1; i <= nodeCount; i++) {
        nodes.push(await BrokerNode.create(`node-${i}`, { dist, history, redisPort: () => store.port }));
      }
      const stage = new Stage(store, nodes, desk);
      await Promise.all(nodes.map((node) => node.start()));
      return stage;
    } catch (error) {
      await desk?.stop();
      await Promise.all(nodes.map((node) => node.dispose()));
      await store.stop();
      throw error;
    }
  }

  node(name: string): BrokerNode {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  /** As a load balancer would: one of those that are not known to be down. */
  chooseNode(random: Random): BrokerNode | null {
    const up = this.nodes.filter((node) => node.isUp);
    return up.length === 0 ? null : random.pick(up);
  }

  /** What is done to one target is done one after another. */
  inLane(target: string, action: () => Promise<void>): Promise<void> {
    const before = this.#lanes.get(target) ?? Promise.resolve();
    const after = before.then(action);
    this.#lanes.set(
      target,
      after.catch(() => {}),
    );
    return after;
  }

  /** Nothing else is done to a node meanwhile, nor for so long afterwards. */
  async withNodesAtRest(forMs: number, action: () => Promise<void>): Promise<void> {
    let letGo = () => {};
    const over = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const rests = this.nodes.map(
      ({ name }) =>
        new Promise<void>((rests) => {
          void this.inLane(name, () => {
            rests();
            return over;
          });
        }),
    );
    await Promise.all(rests);
    try {
      await action();
    } finally {
      void this.wait(forMs).then(letGo);
    }
  }

  /** Waits, unless there is haste. */
  readonly wait = async (ms: number): Promise<void> => {
    await pause(ms, undefined, { signal: this.#haste.signal }).catch(() => {});
  };

  /** All waits are over at once, so that what is hurt is mended. */
  hasten(): void {
    this.#haste.abort();
  }

  async stop(): Promise<void> {
    this.isOn = false;
    await this.desk?.stop();
    await Promise.all(this.nodes.map((node) => node.dispose()));
    await this.store.stop();
  }
}
