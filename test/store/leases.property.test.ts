import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisProcess } from '../../src/embedded/redis-process.js';
import type { ConflictPolicy } from '../../src/protocol/messages.js';
import { KeyNames } from '../../src/store/keys.js';
import type { HeldLease } from '../../src/store/lease-types.js';
import { parseLease } from '../../src/store/replies.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { testRedis } from '../support/redis.js';
import { countsOf, storeOn } from '../support/store.js';

const ORG = 'acme';
const USERS = ['ann', 'bob', 'cleo'] as const;
const MACHINES = ['desk', 'lap', 'den'] as const;
const NODES = ['n1', 'n2'] as const;

type User = (typeof USERS)[number];

/** `back` counts from the latest grant of the run; 0 is the latest. */
type Operation =
  | {
      readonly type: 'claim';
      readonly user: User;
      readonly machine: (typeof MACHINES)[number];
      readonly node: (typeof NODES)[number];
      readonly onConflict: ConflictPolicy;
      readonly resume: 'none' | 'right' | 'stale epoch' | 'wrong session';
    }
  | { readonly type: 'renew' | 'release' | 'evict grant'; readonly back: number }
  | { readonly type: 'evict' | 'expire'; readonly user: User }
  | { readonly type: 'renew all' | 'sweep' | 'flushall' };

const user = fc.constantFrom(...USERS);
const back = fc.nat({ max: 6 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('claim' as const),
      user,
      machine: fc.constantFrom(...MACHINES),
      node: fc.constantFrom(...NODES),
      onConflict: fc.constantFrom<ConflictPolicy>('takeover', 'takeover', 'deny'),
      resume: fc.constantFrom(
        'none' as const,
        'right' as const,
        'stale epoch' as const,
        'wrong session' as const,
      ),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom('renew' as const, 'renew' as const, 'release' as const, 'evict grant' as const),
      back,
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('evict' as const, 'expire' as const), user }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('renew all' as const, 'sweep' as const, 'flushall' as const),
    }),
  },
);

interface Grant extends HeldLease {
  readonly user: User;
  readonly machine: string;
  readonly node: string;
}

let redis: RedisProcess;
let store: Redis;
const connections = new Map<string, Redis>();
const keys = new KeyNames('soleseat:');
/** Over all runs: FLUSHALL and new nodes lie between them, and still no epoch may come twice. */
let highestEpoch = 0;
let ids = 0;

beforeAll(async () => {
  redis = await testRedis();
  store = new Redis(redis.url);
  for (const node of NODES) connections.set(node, new Redis(redis.url));
});
afterAll(async () => {
  for (const connection of [store, ...connections.values()]) connection.disconnect();
  await redis.stop();
});

/** What Redis should hold, as plain collections, beside the nodes that work on the real one. */
class Run {
  readonly #nodes = new Map<string, Store>();
  readonly #grants: Grant[] = [];
  readonly #seats = new Map<User, Grant>();
  readonly #active = new Set<string>();
  readonly #counters = new Map<string, number>();
  readonly #fences = new Map<User, { readonly epoch: number; readonly reason: string }>();

  constructor() {
    for (const [nodeId, connection] of connections) {
      // Long TTLs, so that nothing expires but what `expire` chooses.
      this.#nodes.set(nodeId, storeOn(connection, { nodeId }));
    }
  }

  async perform(step: Operation): Promise<void> {
    switch (step.type) {
      case 'claim':
        return this.#claim(step);
      case 'renew': {
        const grant = this.#grants.at(-1 - step.back);
        return grant && this.#renew([grant]);
      }
      case 'renew all':
        return this.#renewAll();
      case 'release':
        return this.#release(this.#grants.at(-1 - step.back));
      case 'evict grant': {
        const grant = this.#grants.at(-1 - step.back);
        return grant && this.#evict(grant.user, grant);
      }
      case 'evict':
        return this.#evict(step.user);
      case 'expire':
        return this.#expire(step.user);
      case 'sweep':
        return this.#sweep();
      case 'flushall':
        await store.flushall();
        this.#seats.clear();
        this.#active.clear();
        this.#counters.clear();
        this.#fences.clear();
    }
  }

  async compare(): Promise<void> {
    const [leases, fences, active, counterTexts] = await Promise.all([
      store.mget(USERS.map((one) => keys.lease(ORG, one))),
      store.mget(USERS.map((one) => keys.fence(ORG, one))),
      store.zrange(keys.active(ORG), '0', '-1'),
      countsOf(store, keys.counters(ORG)),
    ]);
    const counters = Object.entries(counterTexts).map(([name, text]) => [name, Number(text)] as const);
    const owners = leases.map((text) => {
      const lease = parseLease(text ?? '');
      return (
        lease && `${lease.sessionId} ${lease.epoch} ${lease.nodeId} ${lease.machine.id} ${lease.sinceMs}`
      );
    });
    const seats = USERS.map((one) => this.#seats.get(one));
    expect(owners).toEqual(
      seats.map((seat) =>
        seat ? `${seat.sessionId} ${seat.epoch} ${seat.node} ${seat.machine} ${seat.sinceMs}` : null,
      ),
    );
    expect(fences).toEqual(
      USERS.map((one) => this.#fences.get(one)).map((fence) =>
        fence ? `${fence.epoch}:${fence.reason}` : null,
      ),
    );
    expect(active.sort()).toEqual([...this.#active].sort());
    expect(Object.fromEntries(counters)).toEqual(Object.fromEntries(this.#counters));

    const sum = (chosen: (name: string) => boolean) =>
      counters.filter(([name]) => chosen(name)).reduce((total, [, count]) => total + count, 0);
    const begun = sum((name) => name === 'granted' || name === 'reasserted');
    const ended = sum((name) => name.startsWith('ended:'));
    expect(begun - ended, 'granted + reasserted - all ended = active').toBe(active.length);
  }

  async #claim(step: Extract<Operation, { type: 'claim' }>): Promise<void> {
    const holder = this.#seats.get(step.user);
    const sessionId = `s${++ids}`;
    const machineText = JSON.stringify({ id: step.machine, name: `the: ${step.machine}` });
    const resume = {
      none: undefined,
      right: holder,
      'stale epoch': holder && { ...holder, epoch: holder.epoch - 1 },
      'wrong session': holder && { ...holder, sessionId: 'another' },
    }[step.resume];
    const answer = await this.#node(step.node).leases.claim({
      requestId: `r${ids}`,
      org: ORG,
      user: step.user,
      sessionId,
      licenseId: 'none',
      machine: { id: step.machine },
      machineText,
      onConflict: step.onConflict,
      ...(resume && { resume: { sessionId: resume.sessionId, epoch: resume.epoch } }),
    });
    const isOther = holder !== undefined && holder.machine !== step.machine;
    if (isOther && step.onConflict === 'deny') {
      expect(answer).toEqual({
        outcome: 'conflict',
        holder: { machine: { name: `the: ${holder.machine}` }, since: holder.sinceMs },
      });
      return this.#count('denied:conflict');
    }
    const resumed = holder !== undefined && !isOther && step.resume === 'right';
    const ending = isOther ? 'taken_over' : 'superseded';
    if (answer.outcome !== 'granted') throw new Error(`not granted: ${JSON.stringify(answer)}`);
    expect(answer).toMatchObject({
      resumed,
      sessionId: resumed ? holder.sessionId : sessionId,
      displaced: holder
        ? { sessionId: holder.sessionId, epoch: holder.epoch, nodeId: holder.node, reason: ending }
        : null,
    });
    if (resumed) expect(answer.sinceMs).toBe(holder.sinceMs);
    else expect(answer.sinceMs).toBe(answer.nowMs);
    this.#takeEpoch(answer.epoch);

    if (holder === undefined && this.#active.has(step.user)) this.#count('ended:expired');
    this.#count(resumed ? 'resumed' : 'granted');
    if (holder !== undefined && !resumed) this.#count(`ended:${ending}`);
    const { epoch, sinceMs } = answer;
    const grant: Grant = {
      org: ORG,
      user: step.user,
      sessionId: answer.sessionId,
      epoch,
      sinceMs,
      machineText,
      machine: step.machine,
      node: step.node,
    };
    this.#grants.push(grant);
    this.#seat(grant);
  }

  /** Each node's latest grant of every user, as one batch: what nodes do after they reconnect. */
  async #renewAll(): Promise<void> {
    for (const node of NODES) {
      // One user's grants in one batch would be re-asserted at once, in an order that the model cannot know.
      const latest = new Map(
        this.#grants.filter((grant) => grant.node === node).map((one) => [one.user, one]),
      );
      await this.#renew([...latest.values()]);
    }
  }

  async #renew(grants: readonly Grant[]): Promise<void> {
    const [first] = grants;
    if (first === undefined) return;
    const answers = await this.#node(first.node).leases.renew(ORG, grants);
    expect(answers).toHaveLength(grants.length);
    for (const [index, grant] of grants.entries()) expect(answers[index]).toMatchObject(this.#renewed(grant));
  }

  #renewed(grant: Grant): object {
    const holder = this.#seats.get(grant.user);
    const fence = this.#fences.get(grant.user);
    if (holder === grant) {
      this.#active.add(grant.user);
      return { outcome: 'kept' };
    }
    if (holder !== undefined && holder.epoch > grant.epoch) {
      const reason = holder.machine === grant.machine ? 'superseded' : 'taken_over';
      return { outcome: 'lost', reason, by: { id: holder.machine }, epoch: holder.epoch };
    }
    if (fence !== undefined && fence.epoch > grant.epoch) {
      return { outcome: 'lost', reason: fence.reason, by: null, epoch: fence.epoch };
    }
    if (holder !== undefined) this.#count('ended:lease_lost');
    // Expired but not swept: it is still counted, so it simply goes on.
    if (holder !== undefined || !this.#active.has(grant.user)) this.#count('reasserted');
    this.#seat(grant);
    return { outcome: 'reasserted' };
  }

  async #release(grant: Grant | undefined): Promise<void> {
    if (grant === undefined) return;
    const isHeld = this.#seats.get(grant.user) === grant;
    expect(await this.#node(grant.node).leases.release(grant)).toBe(isHeld);
    if (isHeld) await this.#end(grant.user, 'released');
    else if (!this.#seats.has(grant.user)) this.#barReturn(grant, 'released');
  }

  async #evict(one: User, only?: Grant): Promise<void> {
    const holder = this.#seats.get(one);
    const isMeant = holder !== undefined && (only === undefined || only === holder);
    const evicted = await this.#node('n1').leases.evict({
      org: ORG,
      user: one,
      reason: 'evicted_by_admin',
      actor: 'test',
      ...(only && { only: { sessionId: only.sessionId, epoch: only.epoch } }),
    });
    expect(evicted).toEqual(isMeant ? { sessionId: holder.sessionId, epoch: holder.epoch } : null);
    if (isMeant) await this.#end(one, 'evicted_by_admin');
    else if (only === undefined) await this.#raiseFence(one, 'evicted_by_admin');
    else if (holder === undefined) this.#barReturn(only, 'evicted_by_admin');
  }

  /**
   * The lease really runs out in Redis, only sooner; its entry in `active` is set back to the same moment.
   * With a TTL of some milliseconds for all leases, a slow machine would let the wrong ones run out.
   * leases.test.ts has expiry at the TTL itself.
   */
  async #expire(one: User): Promise<void> {
    if (!this.#seats.delete(one)) return;
    await store.pexpire(keys.lease(ORG, one), 1);
    await store.zadd(keys.active(ORG), 1, one);
    await eventually(async () => (await store.pttl(keys.lease(ORG, one))) === -2);
  }

  async #sweep(): Promise<void> {
    const orphans = [...this.#active].filter((one) => !this.#seats.has(one as User));
    await store.del(keys.sweepTurn);
    await this.#node('n2').nodes.announce([ORG]);
    expect(await this.#node('n2').sweeper.sweep(1)).toBe(orphans.length);
    for (const one of orphans) {
      this.#active.delete(one);
      this.#count('ended:expired');
    }
    expect(await store.zcard(keys.active(ORG))).toBe(this.#seats.size);
  }

  #seat(grant: Grant): void {
    this.#seats.set(grant.user, grant);
    this.#active.add(grant.user);
    this.#fences.set(grant.user, { epoch: grant.epoch, reason: 'taken_over' });
  }

  async #end(one: User, reason: string): Promise<void> {
    await this.#raiseFence(one, reason);
    this.#seats.delete(one);
    this.#active.delete(one);
    this.#count(`ended:${reason}`);
  }

  async #raiseFence(one: User, reason: string): Promise<void> {
    const tombstone = Number((await store.get(keys.fence(ORG, one)))?.split(':')[0]);
    this.#takeEpoch(tombstone);
    this.#fences.set(one, { epoch: tombstone, reason });
  }

  /** A grant that is ended though Redis does not know it must not come back. */
  #barReturn({ user, epoch }: Grant, reason: string): void {
    if ((this.#fences.get(user)?.epoch ?? 0) <= epoch) this.#fences.set(user, { epoch: epoch + 1, reason });
  }

  #takeEpoch(epoch: number): void {
    expect(epoch, 'an epoch came again or fell').toBeGreaterThan(highestEpoch);
    highestEpoch = epoch;
  }

  #count(counter: string): void {
    this.#counters.set(counter, (this.#counters.get(counter) ?? 0) + 1);
  }

  #node(nodeId: string): Store {
    const node = this.#nodes.get(nodeId);
    if (node === undefined) throw new Error(`no node ${nodeId}`);
    return node;
  }
}

describe('the leases', () => {
  it('do what a simple model does, whatever comes in whatever order', async () => {
    const orders = fc.array(operation, { maxLength: 25, size: 'max' });
    await fc.assert(
      fc.asyncProperty(orders, async (steps) => {
        await store.flushall();
        const run = new Run();
        for (const step of steps) {
          await run.perform(step);
          await run.compare();
        }
      }),
      { numRuns: 150 },
    );
  });
});
