import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Metrics } from '../base/metrics.js';
import { actsInLua } from '../protocol/event-types.js';
import { type KeyScope, scopeOf } from './key-scopes.js';
import type { KeyNames, Place } from './keys.js';
import type { RedisConnection } from './redis.js';
import { type KeyName, keyNamesInOrder } from './redis-keys.js';
import { SharedWrites } from './shared-writes.js';

const past = ['index', 'past', 'places', 'quota'] as const;
const seat = ['reign', 'lease', ...past, 'spelling', 'seat'] as const;
const license = [...seat, 'reminder', 'license'] as const;

interface ScriptRow {
  /** What it is about: it gets the keys of this scope that it mentions. */
  readonly of: 'server' | 'index' | 'org' | 'user';
  /** The Lua files that stand before it, beside common.lua. */
  readonly after: readonly string[];
}

const scriptTable = {
  claim: { of: 'user', after: [...seat, 'token', 'caps', 'ask', 'ticket', 'machine', 'share'] },
  renew: { of: 'org', after: ['reign', 'lease', 'grant', 'token'] },
  reassert: { of: 'user', after: [...seat, 'grant', 'token', 'share'] },
  release: { of: 'user', after: [...seat, 'grant', 'share'] },
  unshare: { of: 'user', after: [...seat, 'share'] },
  evict: { of: 'user', after: seat },
  leave: { of: 'user', after: [...seat, 'grant'] },
  unleave: { of: 'user', after: seat },
  answer: { of: 'user', after: seat },
  withdraw: { of: 'user', after: seat },
  present: { of: 'user', after: [...seat, 'grant', 'token', 'share'] },
  revocation: { of: 'user', after: [...seat, 'token'] },
  sweep: { of: 'user', after: seat },
  look: { of: 'org', after: [...seat, 'reminder'] },
  refusals: { of: 'user', after: seat },
  issue: { of: 'user', after: license },
  suspend: { of: 'user', after: license },
  reinstate: { of: 'user', after: license },
  expiry: { of: 'user', after: license },
  expire: { of: 'user', after: license },
  transfer: { of: 'user', after: license },
  revoke: { of: 'user', after: license },
  annotate: { of: 'user', after: license },
  hold: { of: 'user', after: seat },
  rename: { of: 'user', after: seat },
  forget: { of: 'user', after: license },
  unissue: { of: 'user', after: license },
  terms: { of: 'user', after: license },
  remind: { of: 'user', after: license },
  settings: { of: 'org', after: past },
  suspension: { of: 'org', after: past },
  repair: { of: 'org', after: past },
  act: { of: 'org', after: past },
  turn: { of: 'server', after: [] },
  sum: { of: 'index', after: ['index'] },
  due: { of: 'index', after: [] },
  tally: { of: 'org', after: ['places'] },
  import: { of: 'org', after: past },
  page: { of: 'org', after: ['bytes'] },
  backward: { of: 'org', after: ['bytes'] },
  trail: { of: 'org', after: [] },
} as const satisfies Record<string, ScriptRow>;

export type ScriptName = keyof typeof scriptTable;

interface Script {
  /** The keys that it mentions, in the order of KEYS. */
  readonly keys: readonly KeyName[];
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
    private readonly keys: KeyNames,
  ) {
    this.#writes = new SharedWrites(redis);
  }

  /** `more` are the keys that `moreKeys()` gives the script, behind those of the place. Rejects as ioredis does. */
  async run(
    name: ScriptName,
    place: Place,
    args: readonly (string | number)[],
    more: readonly string[] = [],
  ): Promise<unknown> {
    const script = this.#load(name);
    const { source, sha } = script;
    const keys = this.keys.at(script.keys, place);
    keys.push(...more);
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
      script = load(name);
      this.#scripts.set(name, script);
    }
    return script;
  }
}

function load(name: ScriptName): Script {
  const { of, after } = scriptTable[name];
  const code = withoutUnused(['common', ...after, name].map(read).join('\n').replaceAll(/--.*$/gm, ''));
  const mentioned = keyNamesInOrder.filter((key) => new RegExp(`\\b${key}Key\\b`).test(code));
  const keys = mentioned.filter((key) => scopesWithin[of].includes(scopeOf(key)));
  const source = `${keyLines(keys, mentioned)}\n${code}`;
  return { keys, source, sha: createHash('sha1').update(source).digest('hex') };
}

/** A function of a file that stands before a script: it begins and ends at the margin. */
const functions = /^local function (\w+)\(.*?^end$\n?/gms;

/** Redis builds each function anew at every call of the script: those that it does not use are left out. */
function withoutUnused(code: string): string {
  const kept = code.replaceAll(functions, (text, name: string) =>
    code.match(new RegExp(`\\b${name}\\b`, 'g'))?.length === 1 ? '' : text,
  );
  return kept === code ? code : withoutUnused(kept);
}

/** The keys of each scope that a place has a name for. */
const scopesWithin: Readonly<Record<ScriptRow['of'], readonly KeyScope[]>> = {
  server: ['server'],
  index: ['index'],
  org: ['index', 'org'],
  user: ['index', 'org', 'user', 'request'],
};

/** A variable `…Key` for each key that is mentioned. One that the script is not given is nil, or set by the script. */
function keyLines(given: readonly KeyName[], mentioned: readonly KeyName[]): string {
  const variables = [...given, ...mentioned.filter((key) => !given.includes(key))].map((key) => `${key}Key`);
  const bound =
    variables.length === 0 ? '' : `local ${variables.join(', ')} = unpack(KEYS, 1, ${given.length})\n`;
  const from = given.length + 1;
  return `${bound}local function moreKeys() local more = {} for i = ${from}, #KEYS do more[#more + 1] = KEYS[i] end return more end`;
}

/** Whether Redis answered, and answered with an error, rather than not at all. */
function isReplyError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
