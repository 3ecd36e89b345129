import type { Log } from '../base/log.js';
import { reachStore } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Inbox } from './notices.js';
import type { Pulse } from './pulse.js';
import { connectRedis, type RedisConnection } from './redis.js';
import { inspectRedis } from './redis-inspection.js';
import { checkSchema } from './schema.js';

export interface ContactParts {
  readonly redis: RedisConnection;
  readonly pulse: Pulse;
  readonly inbox: Inbox;
  readonly keys: KeyNames;
  readonly log: Log;
}

/**
 * Connects a node that starts, in both directions, and warns of what Redis could lose. Rejects with StoreUnavailable where
 * Redis cannot be had, with UnsuitableRedis where nodes cannot work on it.
 */
export async function makeContact({ redis, pulse, inbox, keys, log }: ContactParts): Promise<void> {
  await reachStore(() => connectRedis(redis));
  const { warnings } = await inspectRedis(redis);
  for (const warning of warnings) log.warn(warning);
  await checkSchema(redis, keys);
  await reachStore(() => pulse.start());
  await reachStore(() => inbox.open());
}
