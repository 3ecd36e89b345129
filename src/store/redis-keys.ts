import type { RedisKey } from './key-row.js';
import { userKeys } from './user-keys.js';
import { webhookKeys } from './webhook-keys.js';

/**
 * Every key that there is. From this table come the names in TypeScript (keys.ts), the variables `…Key` of the Lua
 * scripts (scripts.ts) and docs/redis-keys.md.
 */
export const redisKeys = {
  schema: { key: 'schema', type: 'string', doc: 'The version of the data, `major.minor`.' },
  orgs: { key: 'orgs', type: 'set', doc: 'Every org that ever claimed or was set up.' },
  orgNames: {
    key: 'org-names',
    type: 'sorted set',
    doc: 'The same orgs in the order of their names, for lists: all have the score 0.',
  },
  slots: { key: 'slots', type: 'set', doc: 'In a cluster: the slots in which there are orgs.' },
  nodes: { key: 'nodes', type: 'sorted set', doc: 'nodeId → last heartbeat (Redis ms).' },
  nodeInfo: { key: 'node-info', type: 'hash', doc: 'nodeId → what the node tells of itself, as JSON.' },
  nodeDrains: {
    key: 'node-drains',
    type: 'set',
    doc: 'Nodes that an operator has told to move their sessions away, and to take none.',
  },
  sweepTurn: {
    key: 'sweep-turn',
    type: 'string',
    ttl: 'a sweep interval',
    doc: 'The node that sweeps this time.',
  },
  budget: {
    key: 'budget:<asked>',
    type: 'string',
    ttl: 'a minute',
    doc: 'How often one admin token has asked for one thing that costs much; `<asked>` is a hash of both.',
  },
  inbox: {
    key: 'node:<nodeId>',
    type: 'channel',
    doc: 'The inbox of a node: what happened to sessions that it serves.',
  },
  due: {
    key: '<index>due',
    type: 'sorted set',
    doc: 'org → when somebody must look at it next (Redis ms).',
  },
  totals: { key: '<index>totals', type: 'hash', doc: 'Sums over the orgs of the index.' },
  shares: { key: '<index>quota', type: 'sorted set', doc: 'org → the share of its quota that is issued.' },
  ...webhookKeys,
  owners: {
    key: 'owners',
    type: 'hash',
    doc: 'Who was made an owner at Redis: the `sub` of their admin tokens → since when (Redis ms).',
  },
  recount: {
    key: '{<org>}:recount',
    type: 'string',
    ttl: '10 s, prolonged',
    doc: 'The recount of the org that is under way: `look:` or `repair:`, and its id. The org `*` stands for the totals.',
  },
  recounted: {
    key: '{<org>}:recounted:<recount>',
    type: 'string',
    ttl: 'a minute',
    doc: 'The answer of a recount, for those who asked while it was under way.',
  },
  epoch: { key: '{<org>}:epoch', type: 'string', doc: 'The last epoch that was given.' },
  reign: {
    key: '{<org>}:reign',
    type: 'string',
    doc: 'The replication id under which the epochs run, and the first epoch given under it.',
  },
  active: {
    key: '{<org>}:active',
    type: 'sorted set',
    users: 'member',
    doc: 'user → the end of the lease (Redis ms).',
  },
  held: {
    key: '{<org>}:held',
    type: 'hash',
    users: 'field',
    doc: 'user → the lease, as long as the user is active: it tells whose lease it was that ran out.',
  },
  idle: {
    key: '{<org>}:idle',
    type: 'sorted set',
    users: 'member',
    doc: 'user → when somebody was last at work (Redis ms), of the programs that tell.',
  },
  usersRevoked: {
    key: '{<org>}:users-revoked',
    type: 'sorted set',
    ttl: '`SOLESEAT_TOKEN_LIFE_MAX_MS`',
    users: 'member',
    doc: 'user → a moment (Unix ms): tokens of the user that were issued up to then are revoked.',
  },
  tokensRevoked: {
    key: '{<org>}:tokens-revoked',
    type: 'sorted set',
    ttl: '`SOLESEAT_TOKEN_LIFE_MAX_MS`',
    doc: '`jti` of a token that was revoked → when it was (Redis ms).',
  },
  licensed: {
    key: '{<org>}:licensed',
    type: 'sorted set',
    users: 'member',
    doc: 'user → when the license was issued. Revoked ones are not in it.',
  },
  used: {
    key: '{<org>}:used',
    type: 'sorted set',
    users: 'member',
    doc: 'user → when the license was last used, or issued: what could be taken back.',
  },
  expiring: {
    key: '{<org>}:expiring',
    type: 'sorted set',
    users: 'member',
    doc: 'user → when the license ends (Unix ms).',
  },
  reminders: {
    key: '{<org>}:reminders',
    type: 'sorted set',
    users: 'member',
    doc: 'user → when to tell next that the license ends soon (Unix ms).',
  },
  revoked: {
    key: '{<org>}:revoked',
    type: 'sorted set',
    users: 'member',
    doc: 'user → when the license was revoked.',
  },
  tickets: {
    key: '{<org>}:tickets',
    type: 'sorted set',
    ttl: 'until the last ticket has ended',
    users: 'member',
    doc: 'user → the end of a ticket whose leave was ended by force (Redis ms): till then it keeps a place among the seats and in the quota.',
  },
  counters: { key: '{<org>}:counters', type: 'hash', doc: 'What happened in the org, in numbers.' },
  settings: {
    key: '{<org>}:settings',
    type: 'hash',
    doc: 'Quota, license mode and machine rules of the org.',
  },
  imports: {
    key: '{<org>}:imports',
    type: 'hash',
    doc: 'import id → the state of a bulk import that has not ended.',
  },
  events: {
    key: '{<org>}:events',
    type: 'stream',
    ttl: '`SOLESEAT_SESSIONS_KEPT`, `SOLESEAT_EVENTS_KEPT`',
    doc: 'Traffic: what sessions did and what was refused (promise 14).',
  },
  acts: {
    key: '{<org>}:acts',
    type: 'stream',
    ttl: '`SOLESEAT_ACTS_KEPT`',
    doc: 'Acts: what people and the system did to licenses, orgs and rules (promise 14).',
  },
  names: {
    key: '{<org>}:names',
    type: 'hash',
    users: 'value',
    doc: 'A random key → the user whom events name by it. Without the row nobody can tell who it was.',
  },
  aliases: {
    key: '{<org>}:aliases',
    type: 'hash',
    users: 'field',
    doc: 'user → the random key by which events name the user.',
  },
  spellings: {
    key: '{<org>}:spellings',
    type: 'hash',
    users: 'value',
    doc: 'The name without case → the user as named in the other keys: whoever was issued a license; all, where the org ignores case.',
  },
  refused: {
    key: '{<org>}:refused',
    type: 'hash',
    ttl: 'a minute',
    users: 'field',
    doc: 'user → the refusals of this minute that are no event yet.',
  },
  usage: {
    key: '{<org>}:usage:<hour>',
    type: 'hash',
    ttl: '400 days',
    doc: 'The counters of one hour, which is like `2026-11-25T10` in UTC.',
  },
  users: {
    key: '{<org>}:users:<day>',
    type: 'HyperLogLog',
    ttl: '400 days',
    doc: 'The users of one day, which is like `2026-11-25` in UTC. They cannot be read from it.',
  },
  usageOfQuarter: {
    key: '{<org>}:usage:<quarter>',
    type: 'hash',
    ttl: '40 days',
    doc: 'The same of a quarter of an hour, like `2026-11-25T10:15`: days of zones that are not whole hours from UTC.',
  },
  usersOfHour: {
    key: '{<org>}:users:<hour>',
    type: 'HyperLogLog',
    ttl: '400 days',
    doc: 'The users of one hour: days of other zones than UTC.',
  },
  usersOfQuarter: {
    key: '{<org>}:users:<quarter>',
    type: 'HyperLogLog',
    ttl: '40 days',
    doc: 'The users of a quarter of an hour.',
  },
  ...userKeys,
  request: {
    key: '{<org>}:request:<request>',
    type: 'string',
    ttl: 'a minute for a claim, a day for an order',
    doc: 'The answer to a claim or order, for its repetition.',
  },
} as const satisfies Record<string, RedisKey>;

export type KeyName = keyof typeof redisKeys;
export const keyNamesInOrder = Object.keys(redisKeys) as KeyName[];
