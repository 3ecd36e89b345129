import { bringDue, type Directory, enterOrgs } from './directory.js';
import type { KeyNames } from './keys.js';
import type { Nodes } from './nodes.js';
import type { RedisConnection } from './redis.js';

export interface UpgradeParts {
  readonly redis: RedisConnection;
  readonly keys: KeyNames;
  readonly directory: Directory;
  readonly nodes: Nodes;
  readonly config: { readonly nodeId: string };
}

/**
 * Nodes of version 0.1 write neither the index of what is due nor the totals. While there are any, and once after the
 * last one has gone, and where this is the first node of its version, all orgs are put into the index as due now: a look
 * counts them into the totals and finds what is due next. Without such nodes this costs one look at the directory.
 */
export class Upgrade {
  #isFirstLook = true;
  #areOldNodesHere = false;

  constructor(private readonly parts: UpgradeParts) {}

  /** Whether nodes of version 0.1 were there at the last look: then `look` must be called every second. */
  get isUnderWay(): boolean {
    return this.#areOldNodesHere || this.#isFirstLook;
  }

  /** Gives whether all orgs were put into the index. Rejects when Redis is out of reach. */
  async look(): Promise<boolean> {
    const others = (await this.parts.nodes.list()).filter(
      ({ nodeId }) => nodeId !== this.parts.config.nodeId,
    );
    const areOldHere = others.some(({ schema }) => schema === undefined);
    const isAlone = !others.some(({ schema, isLive }) => schema !== undefined && isLive);
    const isDue = areOldHere || this.#areOldNodesHere || (this.#isFirstLook && isAlone);
    if (isDue) await this.#bringAll();
    // Only now: where Redis failed, it is to be done again.
    this.#areOldNodesHere = areOldHere;
    this.#isFirstLook = false;
    return isDue;
  }

  async #bringAll(): Promise<void> {
    const { redis, keys, directory } = this.parts;
    for await (const orgs of directory.all()) {
      await enterOrgs(redis, keys, orgs);
      await bringDue(redis, keys, orgs);
    }
  }
}
