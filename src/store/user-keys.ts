import type { RedisKey } from './key-row.js';

/** The keys of one user each: the rows of them in the table of keys. */
export const userKeys = {
  lease: {
    key: '{<org>}:lease:<user>',
    type: 'string',
    ttl: '`SOLESEAT_LEASE_TTL_MS`',
    users: 'name',
    doc: 'Who has the seat: session, epoch, node, since, machine.',
  },
  fence: {
    key: '{<org>}:fence:<user>',
    type: 'string',
    ttl: 'a day',
    users: 'name',
    doc: 'The lowest rank that may still hold the seat, and why.',
  },
  license: {
    key: '{<org>}:license:<user>',
    type: 'hash',
    users: 'name',
    doc: 'The license: id, status, when it was issued and ends, note; and until when the user is held.',
  },
  machines: {
    key: '{<org>}:machines:<user>',
    type: 'sorted set',
    ttl: 'SOLESEAT_MACHINES_KEPT',
    users: 'name',
    doc: 'machine id → last seen; the newest 256.',
  },
  machineNotes: {
    key: '{<org>}:machine-notes:<user>',
    type: 'hash',
    ttl: 'SOLESEAT_MACHINES_KEPT',
    users: 'name',
    doc: 'machine id → first seen, how often, the machine as JSON.',
  },
  machineDoubles: {
    key: '{<org>}:machine-doubles:<user>',
    type: 'hash',
    ttl: '30 days',
    users: 'name',
    doc: 'machine id → when it was last used under two names at once, and the two names as JSON.',
  },
  takeovers: {
    key: '{<org>}:takeovers:<user>',
    type: 'string',
    ttl: 'a minute',
    users: 'name',
    doc: 'How often the seat was taken over in the current minute.',
  },
  waiters: {
    key: '{<org>}:waiters:<user>',
    type: 'hash',
    ttl: 'an hour, the newest 8',
    users: 'name',
    doc: 'connection → since when it waits for the seat, and the node that serves it.',
  },
  ask: {
    key: '{<org>}:ask:<user>',
    type: 'string',
    ttl: 'two minutes; after a no, one',
    users: 'name',
    doc: 'The question to the holder, as JSON: whose session is asked, who asks, until when, and the answer.',
  },
  history: {
    key: '{<org>}:history:<user>',
    type: 'stream',
    ttl: '400 days, the newest 5,000',
    users: 'name',
    doc: 'One line for each session that ended, and for what was refused.',
  },
  claims: {
    key: '{<org>}:claims:<user>',
    type: 'string',
    ttl: 'a minute',
    users: 'name',
    doc: 'Claims of the user in the current minute.',
  },
  renamed: {
    key: '{<org>}:renamed:<user>',
    type: 'string',
    ttl: 'as long as tokens live, a day unless said otherwise',
    users: 'name',
    doc: 'The name that a user has now whom tokens may still name by this one.',
  },
} as const satisfies Record<string, RedisKey>;
