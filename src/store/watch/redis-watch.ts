import type { Metrics } from '../../base/metrics.js';
import { parseInfo, type RedisInfo } from './redis-info.js';

/** One server of Redis, and a connection to it that is used for other things too. */
export interface RedisServer {
  /** `host:port`, the label of its series. */
  readonly address: string;
  readonly redis: { info(): Promise<string> };
}

type Look = RedisServer & { readonly info: RedisInfo | null };

/** Turns what the servers of Redis say of themselves into metrics, as of the last look. */
export class RedisWatch {
  /** As last seen, for the time when a server does not answer: without a socket its address may be unknown. */
  readonly #lastSeen = new WeakMap<object, { readonly address: string; readonly role: string }>();

  constructor(
    private readonly servers: () => readonly RedisServer[],
    private readonly metrics: Metrics,
  ) {}

  /** Asks all servers once. Never rejects: a server that does not answer is down. */
  async look(): Promise<void> {
    const looks = await Promise.all(this.servers().map(lookAt));
    // From here on in one go: a scrape between would miss the series of servers that are up.
    this.#reset();
    for (const { redis, info, ...server } of looks) {
      if (info !== null) this.#lastSeen.set(redis, { address: server.address, role: info.role });
      const { address, role } = this.#lastSeen.get(redis) ?? { address: server.address, role: 'unknown' };
      this.metrics.serverUp.set({ address, role }, info === null ? 0 : 1);
      if (info !== null) this.#show(address, info);
    }
  }

  #show(address: string, info: RedisInfo): void {
    const { metrics } = this;
    const server = { address };
    metrics.memoryUsed.set(server, info.memoryUsed);
    metrics.memoryLimit.set(server, info.memoryLimit);
    metrics.evictionPolicy.set({ address, policy: info.policy }, 1);
    metrics.evictedKeys.inc(server, info.evictedKeys);
    metrics.expiredKeys.inc(server, info.expiredKeys);
    metrics.connectedClients.set(server, info.connectedClients);
    metrics.commandsProcessed.inc(server, info.commandsProcessed);
    metrics.aofEnabled.set(server, info.isAofEnabled ? 1 : 0);
    metrics.persistenceOk.set({ address, file: 'aof' }, info.isAofOk ? 1 : 0);
    metrics.persistenceOk.set({ address, file: 'rdb' }, info.isRdbOk ? 1 : 0);
    metrics.lastSave.set(server, info.lastSave);
    metrics.connectedReplicas.set(server, info.connectedReplicas);
    metrics.replicationLagBytes.set(server, info.lagBytes);
    metrics.replicationLagSeconds.set(server, info.lagSeconds);
    metrics.databaseKeys.set(server, info.databaseKeys);
  }

  /** Servers that went out of the cluster leave no series behind. Counters are the servers' own: set anew. */
  #reset(): void {
    const { metrics } = this;
    for (const metric of [
      metrics.serverUp,
      metrics.memoryUsed,
      metrics.memoryLimit,
      metrics.evictionPolicy,
      metrics.evictedKeys,
      metrics.expiredKeys,
      metrics.connectedClients,
      metrics.commandsProcessed,
      metrics.aofEnabled,
      metrics.persistenceOk,
      metrics.lastSave,
      metrics.connectedReplicas,
      metrics.replicationLagBytes,
      metrics.replicationLagSeconds,
      metrics.databaseKeys,
    ])
      metric.reset();
  }
}

async function lookAt({ address, redis }: RedisServer): Promise<Look> {
  try {
    return { address, redis, info: parseInfo(await redis.info()) };
  } catch {
    return { address, redis, info: null };
  }
}
