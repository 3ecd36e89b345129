import { scopeOf } from './key-scopes.js';
import { type KeyName, keyNamesInOrder, redisKeys } from './redis-keys.js';
import { slotOf, tagOf } from './slots.js';

const ORGS_REMEMBERED = 1000;

type Placeholders<Key extends string> = Key extends `${string}<${string}>${infer Rest}`
  ? [string, ...Placeholders<Rest>]
  : [];
type IndexName = 'due' | 'totals' | 'shares' | 'outbox' | 'wanted';
type OwnName = Exclude<KeyName, IndexName>;
/** Keys of the whole server: their names have no placeholder. */
type ServerName = {
  [Name in OwnName]: Placeholders<(typeof redisKeys)[Name]['key']> extends [] ? Name : never;
}[OwnName];
/** One member for each row of the table: a text, or a function of what stands in angle brackets. */
type NamesOfKeys = {
  readonly [Name in OwnName]: Placeholders<(typeof redisKeys)[Name]['key']> extends []
    ? string
    : (...parts: Placeholders<(typeof redisKeys)[Name]['key']>) => string;
};

/** What the orgs of a server have in common; in a cluster, the orgs of a slot: lua/index.lua says what it is. */
export type IndexKeys = Readonly<Record<IndexName, string>> & {
  /** What stands for `<index>` in the other keys of the index. */
  readonly tag: string;
};

/** What the keys of a script are about: an org, or an index over orgs. */
export type Place =
  | {
      readonly org: string;
      readonly user?: string;
      readonly request?: string;
      /** Redis's time, for the quarter, hour and day that something is counted in; the system's where it is left out. */
      readonly atMs?: number;
    }
  | { readonly index: IndexKeys }
  /** The server: one key of all orgs. */
  | 'server';

/** All key names. All keys of an org share one hash tag, so a script touches one slot. */
export interface KeyNames extends NamesOfKeys {
  /** A node's inbox is this and its nodeId. */
  readonly channelPrefix: string;
  /** The slot of the org's keys; null where there is but one index. */
  slotOf(org: string): number | null;
  /** The index that the org's scripts keep. */
  indexOf(org: string): IndexKeys;
  indexAt(slot: number | null): IndexKeys;
  /** The keys of these names, in their order. */
  at(names: readonly KeyName[], place: Place): string[];
}

/** In a cluster a script reaches one slot: what several orgs have in common is kept once for each slot. */
export function keyNames(prefix: string, isCluster = false): KeyNames {
  const fill = (key: string, parts: readonly string[]) => {
    let next = 0;
    return prefix + key.replaceAll(/<\w+>/g, () => parts[next++] ?? '');
  };
  const own = Object.fromEntries(
    keyNamesInOrder.map((name) => {
      const { key } = redisKeys[name];
      return [name, key.includes('<') ? (...parts: string[]) => fill(key, parts) : prefix + key];
    }),
  ) as unknown as NamesOfKeys;
  const slot = (org: string) => (isCluster ? slotOf(`${prefix}{${org}}:`) : null);
  const indexAt = (at: number | null): IndexKeys => {
    const tag = at === null ? '' : `{${tagOf(at)}}:`;
    const named = (name: IndexName) => fill(redisKeys[name].key, [tag]);
    return {
      tag,
      due: named('due'),
      totals: named('totals'),
      shares: named('shares'),
      outbox: named('outbox'),
      wanted: named('wanted'),
    };
  };
  const indexOf = (org: string) => indexAt(slot(org));
  const stems = new Stems(prefix, indexOf);
  const at = (names: readonly KeyName[], place: Place) => {
    if (place === 'server') return names.map((name) => own[name as ServerName]);
    if ('index' in place) return names.map((name) => place.index[name as IndexName]);
    const { org, user = '', request = 'none', atMs = Date.now() } = place;
    const made = stems.of(org, quarterOf(atMs));
    const ends = { server: '', index: '', org: '', user, request, webhook: '' };
    return names.map((name) => made[name] + ends[scopes[name]]);
  };
  return { ...own, channelPrefix: `${prefix}node:`, slotOf: slot, indexOf, indexAt, at };
}

const scopes = Object.fromEntries(keyNamesInOrder.map((name) => [name, scopeOf(name)])) as Readonly<
  Record<KeyName, ReturnType<typeof scopeOf>>
>;

/** The keys of an org, in one quarter of an hour, up to the name of the user: made once, since every claim needs them. */
class Stems {
  readonly #made = new Map<string, { readonly quarter: string } & Readonly<Record<KeyName, string>>>();

  constructor(
    private readonly prefix: string,
    private readonly indexOf: (org: string) => IndexKeys,
  ) {}

  of(org: string, quarter: string): Readonly<Record<KeyName, string>> {
    const known = this.#made.get(org);
    if (known?.quarter === quarter) return known;
    if (this.#made.size >= ORGS_REMEMBERED) this.#made.clear();
    const parts: Readonly<Record<string, string>> = {
      org,
      quarter,
      hour: quarter.slice(0, 13),
      day: quarter.slice(0, 10),
    };
    const stem = (name: KeyName) =>
      this.prefix + redisKeys[name].key.replaceAll(/<(\w+)>/g, (_, part: string) => parts[part] ?? '');
    const stems = Object.fromEntries(keyNamesInOrder.map((name) => [name, stem(name)])) as Record<
      KeyName,
      string
    >;
    const made = { ...stems, ...this.indexOf(org), quarter };
    this.#made.set(org, made);
    return made;
  }
}

const QUARTER_MS = 900_000;
let last = { number: 0, text: '1970-01-01T00:00' };

/** The quarter of an hour of a time in Unix ms, like `2026-11-25T10:15` in UTC. Every claim asks: nearly always for the same one. */
export function quarterOf(atMs: number): string {
  const number = Math.floor(atMs / QUARTER_MS);
  if (number !== last.number)
    last = { number, text: new Date(number * QUARTER_MS).toISOString().slice(0, 16) };
  return last.text;
}

/** The hour of a time in Unix ms, like `2026-11-25T10` in UTC. */
export function hourOf(atMs: number): string {
  return quarterOf(atMs).slice(0, 13);
}
