import { bringDue, enterOrgs } from './directory.js';
import type { KeyNames } from './keys.js';
import type { RedisConnection } from './redis.js';
import type { RedisClock } from './redis-clock.js';

/** What a node tells of itself with every heartbeat. */
export interface NodeReport {
  readonly version: string;
  /** Where clients reach it: host and port as it listens. */
  readonly publicAddress: string;
  /** Unix ms by Redis's clock. */
  readonly startedAtMs: number;
  readonly sessions: number;
  readonly state: 'ready' | 'draining';
}

export interface NodeRecord extends Partial<NodeReport> {
  /** The version of the data that it writes; version 0.1 does not say. */
  readonly schema?: string;
  readonly nodeId: string;
  /** Unix ms by Redis's clock. */
  readonly lastSeenMs: number;
  /** Heard within the last seconds. A node that is not may be gone, stopped, or cut off from Redis. */
  readonly isLive: boolean;
}

/** What the directory knew of a node at its heartbeat; `lostMs`: it had one that is older than the last confirmed. */
export type Heard = 'first' | 'known' | 'forgotten' | { readonly lostMs: number };

/** The version of the data that this node writes. */
const SCHEMA = '0.2';

/** Several heartbeats may get lost. */
const LIVE_WITHIN_MS = 5000;
/** A node that has been silent for this long leaves the directory; should it come back, it enters it again. */
const KEPT_MS = 60_000;

/** The directory of nodes: for people who look. Nothing that concerns a seat depends on it. */
export class Nodes {
  /** The last heartbeat that Redis confirmed, by its clock. */
  #beatMs: number | null = null;
  #isToDrain = false;

  constructor(
    private readonly redis: RedisConnection,
    private readonly keys: KeyNames,
    private readonly redisClock: RedisClock,
    private readonly nodeId: string,
  ) {}

  /**
   * Marks this node as alive, and tells what the directory knew of it. Rejects when Redis is out of reach or has no
   * memory left.
   */
  async beat(report: NodeReport): Promise<Heard> {
    const { redis, keys, nodeId } = this;
    const nowMs = Math.round(this.redisClock.nowMs() ?? 0);
    const [before, isToDrain] = await Promise.all([
      redis.zscore(keys.nodes, nodeId),
      redis.sismember(keys.nodeDrains, nodeId),
      redis.zadd(keys.nodes, nowMs, nodeId),
      redis.hset(keys.nodeInfo, nodeId, JSON.stringify({ ...report, schema: SCHEMA })),
    ]);
    this.#isToDrain = isToDrain === 1;
    const lastMs = this.#beatMs;
    this.#beatMs = nowMs;
    if (before === null) return lastMs === null ? 'first' : 'forgotten';
    // Redis confirmed the last beat: a copy that has an older one is from before it.
    return lastMs !== null && Number(before) < lastMs ? { lostMs: lastMs - Number(before) } : 'known';
  }

  /** Whether an operator has told this node to empty itself, as of the last heartbeat. */
  get isToDrain(): boolean {
    return this.#isToDrain;
  }

  /** Tells a node to move its sessions away and to take none. It hears so with its next heartbeat. */
  async drain(nodeId: string): Promise<void> {
    await this.redis.sadd(this.keys.nodeDrains, nodeId);
  }

  /** Lets it take sessions again. */
  async undrain(nodeId: string): Promise<void> {
    await this.redis.srem(this.keys.nodeDrains, nodeId);
  }

  /** Names orgs anew, and has somebody look at each of them at once: Redis may have lost that they exist, and when. */
  async announce(orgs: readonly string[]): Promise<void> {
    await enterOrgs(this.redis, this.keys, orgs);
    await bringDue(this.redis, this.keys, orgs);
  }

  /** Names orgs anew. */
  async enter(orgs: readonly string[]): Promise<void> {
    await enterOrgs(this.redis, this.keys, orgs);
  }

  /** Takes this node out of the directory at its end. */
  async leave(): Promise<void> {
    await this.#remove([this.nodeId]);
    await this.undrain(this.nodeId);
  }

  /** All nodes of the directory, the one heard last first. */
  async list(): Promise<NodeRecord[]> {
    const { redis, keys } = this;
    const nowMs = await this.redisClock.ask(redis);
    const [seen, reports] = await Promise.all([
      redis.zrevrange(keys.nodes, '0', '-1', 'WITHSCORES'),
      redis.hgetall(keys.nodeInfo),
    ]);
    const records: NodeRecord[] = [];
    for (let i = 0; i + 1 < seen.length; i += 2) {
      const [nodeId = '', lastSeenMs] = [seen[i], Number(seen[i + 1])];
      const report = readReport(reports[nodeId]);
      records.push({ ...report, nodeId, lastSeenMs, isLive: lastSeenMs > nowMs - LIVE_WITHIN_MS });
    }
    return records;
  }

  /** Takes nodes out of the directory that have long been silent. Any node may do it. What they were told stays: they may come back. */
  async forgetSilent(): Promise<void> {
    const nowMs = this.redisClock.nowMs();
    if (nowMs === null) return;
    const silent = await this.redis.zrangebyscore(this.keys.nodes, '-inf', Math.floor(nowMs - KEPT_MS));
    await this.#remove(silent);
  }

  async #remove(nodeIds: readonly string[]): Promise<void> {
    if (nodeIds.length === 0) return;
    const { redis, keys } = this;
    await Promise.all([redis.zrem(keys.nodes, ...nodeIds), redis.hdel(keys.nodeInfo, ...nodeIds)]);
  }
}

function readReport(text: string | undefined): Partial<NodeRecord> {
  try {
    return text === undefined ? {} : (JSON.parse(text) as Partial<NodeRecord>);
  } catch {
    return {};
  }
}
