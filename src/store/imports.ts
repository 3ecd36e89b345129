import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Actor } from './license-types.js';
import type { Licenses } from './licenses.js';
import type { RedisConnection } from './redis.js';
import type { Scripts } from './scripts.js';

export interface ImportsParts {
  readonly redis: RedisConnection;
  readonly scripts: Scripts;
  readonly keys: KeyNames;
  readonly licenses: Licenses;
  readonly config: { readonly leaseTtlMs: number };
}

type Step = 'begin' | 'beat' | 'commit' | 'undo' | 'takeOver' | 'forget';

/** Users looked at in one go while an import is undone. */
const BATCH = 200;
/** Redis's clock may have been set back since the import began. */
const CLOCK_MARGIN_MS = 60_000;

/**
 * The journal of bulk imports. An import is all or nothing: whoever began one says with `commit` that it is complete,
 * and until then any node may undo it, should its own go silent. Rejects with StoreUnavailable or StoreDefect.
 */
export class Imports {
  constructor(private readonly parts: ImportsParts) {}

  /** False: another import of the org is under way, or being undone. */
  async begin(org: string, id: string, actor: Actor): Promise<boolean> {
    return (await this.#step('begin', org, id, actor)) !== null;
  }

  /** A sign of life. False: the import has been undone meanwhile. */
  async beat(org: string, id: string, actor: Actor): Promise<boolean> {
    return (await this.#step('beat', org, id, actor)) !== null;
  }

  /** Makes the import complete. False: it has been undone meanwhile. */
  async commit(org: string, id: string, actor: Actor, licenses: number): Promise<boolean> {
    return (await this.#step('commit', org, id, actor, { licenses: String(licenses) })) !== null;
  }

  /** Takes back every license of the import. */
  async undo(org: string, id: string, actor: Actor): Promise<void> {
    const begun = await this.#step('undo', org, id, actor);
    if (begun !== null) await this.#takeBack(org, id, actor, begun);
  }

  /**
   * Undoes the import if its node has been silent for a TTL: `takeOver` says so before, null otherwise. Should this node
   * go too, another one finds the import silent in its turn.
   */
  async takeOver(org: string, id: string): Promise<(() => Promise<void>) | null> {
    const begun = await this.#step('takeOver', org, id, 'broker');
    return begun === null ? null : () => this.#takeBack(org, id, 'broker', begun);
  }

  /**
   * Looks at every license issued since the import began; those of others are left alone. Others change the list
   * meanwhile, so each round goes through a copy of it, until one has found nothing more.
   */
  async #takeBack(org: string, importId: string, actor: Actor, begunMs: number): Promise<void> {
    const { redis, keys } = this.parts;
    const fromMs = begunMs - CLOCK_MARGIN_MS;
    let taken: number | null;
    do {
      const users = await reachStore(() => redis.zrangebyscore(keys.licensed(org), fromMs, '+inf'));
      taken = await this.#takeFrom(users, org, importId, actor);
    } while (taken !== null && taken > 0);
    await this.#step('forget', org, importId, actor);
  }

  /** How many of these users' licenses were taken back; null: another node has meanwhile done it all. */
  async #takeFrom(
    users: readonly string[],
    org: string,
    importId: string,
    actor: Actor,
  ): Promise<number | null> {
    let taken = 0;
    for (let from = 0; from < users.length; from += BATCH) {
      // Still at it: nobody needs to take over.
      if ((await this.#step('undo', org, importId, actor)) === null) return null;
      const batch = users.slice(from, from + BATCH);
      const answers = await Promise.all(
        batch.map((user) => this.parts.licenses.unissue({ org, user, actor, importId })),
      );
      taken += answers.filter((isTaken) => isTaken).length;
    }
    return taken;
  }

  /** When the import was begun (Unix ms); null where the step does not apply. */
  async #step(step: Step, org: string, id: string, actor: Actor, more: object = {}): Promise<number | null> {
    const { scripts, config } = this.parts;
    const { leaseTtlMs: staleMs } = config;
    const argument = JSON.stringify({ org, step, import: id, actor, staleMs, ...more });
    const begun = await reachStore(() => scripts.run('import', { org }, [argument]));
    return begun === null ? null : Number(begun);
  }
}
