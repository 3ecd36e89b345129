/** What there is to know of a key in Redis. */
export interface RedisKey {
  /** Its name behind the prefix. `{<org>}` keeps an org in one slot; `<index>` is a tag of the slot, or empty on one server. */
  readonly key: string;
  readonly type: 'string' | 'hash' | 'set' | 'sorted set' | 'stream' | 'HyperLogLog' | 'channel';
  /** How long it is kept after its last write; none: for ever. */
  readonly ttl?: string;
  /** Where the names of users stand in it: what has to go when a user is forgotten. */
  readonly users?: 'name' | 'member' | 'field' | 'value';
  readonly doc: string;
}
