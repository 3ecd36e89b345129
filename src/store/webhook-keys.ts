import type { RedisKey } from './key-row.js';

/** The keys of webhooks: the rows of them in the table of keys. */
export const webhookKeys = {
  outbox: {
    key: '<index>outbox',
    type: 'stream',
    ttl: 'until it is delivered or parked',
    doc: 'Events that a webhook wants, until they are delivered.',
  },
  wanted: {
    key: '<index>wanted',
    type: 'set',
    doc: 'The event types that webhooks want, of all orgs or behind the name of one.',
  },
  webhookState: {
    key: '<index>webhook:<webhook>',
    type: 'hash',
    doc: 'How far a webhook has got in the outbox, and what waits to be tried again.',
  },
  webhookParked: {
    key: '<index>webhook-parked:<webhook>',
    type: 'stream',
    ttl: 'the newest 10,000',
    doc: 'Events that could not be delivered within a day.',
  },
  webhooks: {
    key: 'webhooks',
    type: 'hash',
    doc: 'webhook id → its URL, types, orgs, secrets and state, as JSON.',
  },
  outboxTurn: {
    key: 'outbox-turn',
    type: 'string',
    ttl: '10 seconds',
    doc: 'The node that delivers webhooks at present.',
  },
} as const satisfies Record<string, RedisKey>;
