import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../base/log.js';
import { reachStore, StoreUnavailable } from './errors.js';
import type { KeyNames } from './keys.js';
import type { Inbox } from './notices.js';
import type { Outages } from './outages.js';
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

const AGAIN_AFTER_MS = 250;

/**
 * Connects a node that starts, in both directions, and warns of what Redis could lose. Rejects with StoreUnavailable where
 * Redis cannot be had, with UnsuitableRedis where nodes cannot work on it.
 */
export async function makeContact({ redis, pulse, inbox, keys, log }: ContactParts): Promise<void> {
  await reachStore(() => connectRedis(redis));
  const { warnings } = await reachStore(() => inspectRedis(redis));
  await reachStore(() => checkSchema(redis, keys));
  await reachStore(() => pulse.start());
  await reachStore(() => inbox.open());
  for (const warning of warnings) log.warn(warning);
}

/**
 * As makeContact, but waits for a Redis that is not up yet, as long as `goesOn` says so. The log has each cause once.
 * Rejects only where waiting is of no use.
 */
export async function awaitContact(
  parts: ContactParts,
  outages: Outages,
  goesOn: () => boolean,
): Promise<void> {
  while (goesOn()) {
    try {
      return await makeContact(parts);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      outages.failed('commands', error);
      await pause(AGAIN_AFTER_MS);
    }
  }
}
