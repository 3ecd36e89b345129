import type { Clock } from '../../base/clock.js';
import type { Metrics } from '../../base/metrics.js';
import { isWithheld } from '../no-info.js';
import { parseInfo, type RedisInfo } from './redis-info.js';

/** One server of Redis, and a connection to it that is used for other things too. */
export interface RedisServer {
  /** `host:port`, the label of its series. */
  readonly address: string;
  readonly redis: { info(): Promise<string> };
}

type Look = RedisServer & { readonly info: RedisInfo | 'withheld' | null };

interface Sighting {
  readonly role: RedisInfo['role'] | 'unknown';
  readonly runId: string;
  readonly atMs: number;
}

export interface RedisWatchParts {
  readonly servers: () => readonly RedisServer[];
  /** How long a server that is no longer listed counts as down: a cluster drops its dead from the list. */
  readonly missedForMs: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Turns what the servers of Redis say of themselves into metrics, as of the last look. */
export class RedisWatch {
  /** address → its last answer. */
  readonly #seen = new Map<string, Sighting>();
  /** Without a socket, a connection may not know its address. */
  readonly #addresses = new WeakMap<object, string>();

  constructor(private readonly parts: RedisWatchParts) {}

  /** Asks all servers once. Never rejects: a server that does not answer is down. */
  async look(): Promise<void> {
    const looks = await Promise.all(this.parts.servers().map(lookAt));
    const atMs = this.parts.clock();
    const silent = new Set<string>();
    // From here on in one go: a scrape between would miss the series of servers that are up.
    this.#reset();
    for (const { redis, address, info } of looks) {
      if (info === null) {
        silent.add(this.#addresses.get(redis) ?? address);
        continue;
      }
      this.#addresses.set(redis, address);
      if (info === 'withheld') {
        this.#seen.set(address, { role: 'unknown', runId: '', atMs });
        this.parts.metrics.serverUp.set({ address, role: 'unknown' }, 1);
      } else if (this.#isFirstOf(info.runId, address, atMs)) {
        this.#seen.set(address, { role: info.role, runId: info.runId, atMs });
        this.#show(address, info);
      }
    }
    this.#showDown(silent, atMs);
  }

  /**
   * One server has one name: a cluster may be dialled by addresses, and name its servers by hosts afterwards. The name that
   * the cluster uses now counts, and the one from before is forgotten.
   */
  #isFirstOf(runId: string, address: string, atMs: number): boolean {
    if (runId === '') return true;
    for (const [other, sighting] of this.#seen) {
      if (other === address || sighting.runId !== runId) continue;
      if (sighting.atMs === atMs) return false;
      this.#seen.delete(other);
    }
    return true;
  }

  #showDown(silent: ReadonlySet<string>, nowMs: number): void {
    const { serverUp } = this.parts.metrics;
    for (const address of silent)
      serverUp.set({ address, role: this.#seen.get(address)?.role ?? 'unknown' }, 0);
    for (const [address, { role, atMs }] of this.#seen) {
      if (atMs === nowMs || silent.has(address)) continue;
      if (nowMs - atMs < this.parts.missedForMs) serverUp.set({ address, role }, 0);
      else this.#seen.delete(address);
    }
  }

  #show(address: string, info: RedisInfo): void {
    const { metrics } = this.parts;
    const server = { address };
    metrics.serverUp.set({ address, role: info.role }, 1);
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
    const { metrics } = this.parts;
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
  // Why a server does not answer is told by its connection; here it only counts as down.
  const info = await redis
    .info()
    .then(parseInfo, (error: unknown) => (isWithheld(error) ? 'withheld' : null));
  return { address, redis, info };
}
