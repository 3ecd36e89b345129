import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Metrics } from '../base/metrics.js';
import { actsInLua } from '../protocol/event-types.js';
import type { RedisConnection } from './redis.js';
import { SharedWrites } from './shared-writes.js';

const seat = ['reign', 'lease', 'index', 'past', 'seat'] as const;
const license = [...seat, 'license'] as const;

/** The Lua files that stand before each script, beside common.lua. */
const librariesOf = {
  claim: seat,
  renew: ['reign', 'lease', 'grant'],
  reassert: [...seat, 'grant'],
  release: [...seat, 'grant'],
  evict: seat,
  sweep: seat,
  look: seat,
  issue: license,
  suspend: license,
  reinstate: license,
  expiry: license,
  expire: license,
  transfer: license,
  revoke: license,
  unissue: license,
  settings: ['index', 'past'],
  repair: ['index', 'past'],
  sum: ['index'],
  due: [],
  tally: [],
  import: ['index', 'past'],
  page: [],
  trail: [],
} as const satisfies Record<string, readonly string[]>;

export type ScriptName = keyof typeof librariesOf;

interface Script {
  readonly source: string;
  readonly sha: string;
}

const file = (name: string) => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
const read = (name: string) => (name === 'past' ? `${actsInLua()}\n${file(name)}` : file(name));

/** Runs the Lua files by name. Replies leave as `unknown`: each operation has one typed function in this folder. */
export class Scripts {
  readonly #scripts = new Map<ScriptName, Script>();
  readonly #writes: SharedWrites;

  constructor(
    private readonly redis: RedisConnection,
    private readonly metrics: Metrics,
  ) {
    this.#writes = new SharedWrites(redis);
  }

  async run(name: ScriptName, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const { source, sha } = this.#load(name);
    const sentMs = performance.now();
    this.#writes.sending();
    try {
      return await this.redis.evalsha(sha, keys.length, ...keys, ...args).catch((error: unknown) => {
        // After a restart, a failover or SCRIPT FLUSH the server does not know the script: send it whole, once.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        return this.redis.eval(source, keys.length, ...keys, ...args);
      });
    } catch (error) {
      this.metrics.redisErrors.inc({ operation: name });
      if (isReplyError(error)) this.metrics.scriptErrors.inc({ operation: name });
      throw error;
    } finally {
      this.#writes.answered();
      this.metrics.redisSeconds.observe({ operation: name }, (performance.now() - sentMs) / 1000);
    }
  }

  #load(name: ScriptName): Script {
    let script = this.#scripts.get(name);
    if (script === undefined) {
      const source = ['common', ...librariesOf[name], name].map(read).join('\n');
      script = { source, sha: createHash('sha1').update(source).digest('hex') };
      this.#scripts.set(name, script);
    }
    return script;
  }
}

/** Whether Redis answered, and answered with an error, rather than not at all. */
function isReplyError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
