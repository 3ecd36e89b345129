import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConflictPolicy } from '../../packages/client/src/protocol/messages.js';
import { keyNames } from '../../src/store/keys.js';
import type { HeldLease, RenewAnswer } from '../../src/store/lease-types.js';
import { parseLease } from '../../src/store/replies.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { ForgetfulRedis } from '../support/failover.js';
import { countsOf, leaseFrom, ORG, raisedBy, requestFor, storeOn } from '../support/store.js';
import { type Seat, SeatModel } from './seat-model.js';

const USERS = ['ann', 'bob', 'cleo'] as const;
const MACHINES = ['desk', 'lap', 'den'] as const;
const NODES = ['n1', 'n2'] as const;
const PROGRAMS = ['p1', 'p2', 'p3'] as const;

type User = (typeof USERS)[number];

/** `back` counts from the latest grant of the run; 0 is the latest. */
type Operation =
  | {
      readonly type: 'claim';
      readonly user: User;
      readonly machine: (typeof MACHINES)[number];
      readonly node: (typeof NODES)[number];
      readonly onConflict: ConflictPolicy;
      readonly resume: 'none' | 'right' | 'other epoch' | 'wrong session';
      /** Which program says hello, if it tells; and whether with its next attempt, the last one again, or an older. */
      readonly program: (typeof PROGRAMS)[number] | 'silent';
      readonly attempt: 'next' | 'again' | 'older';
    }
  | { readonly type: 'renew' | 'renew unheard' | 'release' | 'lose' | 'evict grant'; readonly back: number }
  | { readonly type: 'evict' | 'expire'; readonly user: User }
  | {
      readonly type:
        | 'renew all'
        | 'sweep'
        | 'flushall'
        | 'keep copy'
        | 'fail over'
        | 'new reign'
        | 'new nodes';
    };

const back = fc.nat({ max: 6 });
const oneOf = <const T extends readonly string[]>(...types: T) => fc.constantFrom<T[number]>(...types);
/** Where few meet, they meet often. */
interface Scene {
  readonly users: readonly User[];
  readonly machines: readonly (typeof MACHINES)[number][];
  readonly programs: readonly ((typeof PROGRAMS)[number] | 'silent')[];
  /** How often what ends all comes to pass, beside claims and renewals. */
  readonly disasters: number;
}
const apart: Scene = { users: USERS, machines: MACHINES, programs: [...PROGRAMS, 'silent'], disasters: 6 };
const together: Scene = {
  users: ['ann'],
  machines: ['desk', 'desk', 'desk', 'desk', 'lap'],
  programs: [...PROGRAMS, ...PROGRAMS, 'silent'],
  disasters: 2,
};

const operationIn = (scene: Scene): fc.Arbitrary<Operation> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        type: oneOf('claim'),
        user: fc.constantFrom(...scene.users),
        machine: fc.constantFrom(...scene.machines),
        node: fc.constantFrom(...NODES),
        onConflict: oneOf('takeover', 'takeover', 'deny'),
        resume: oneOf('none', 'right', 'other epoch', 'wrong session'),
        program: fc.constantFrom(...scene.programs),
        attempt: oneOf('next', 'next', 'again', 'older'),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        type: oneOf('renew', 'renew', 'renew unheard', 'release', 'lose', 'evict grant'),
        back,
      }),
    },
    {
      weight: scene.disasters - 1,
      arbitrary: fc.record({ type: oneOf('evict', 'expire'), user: fc.constantFrom(...scene.users) }),
    },
    {
      weight: scene.disasters,
      arbitrary: fc.record({
        type: oneOf('renew all', 'sweep', 'flushall', 'keep copy', 'fail over', 'new reign', 'new nodes'),
      }),
    },
  );

/** What a node holds: its lease changes when it hears that the epoch was raised. */
interface Grant {
  readonly node: string;
  lease: HeldLease;
}

let redis: ForgetfulRedis;
let store: Redis;
const connections = new Map<string, Redis>();
const keys = keyNames('soleseat:');
/** Over all runs: FLUSHALL, failovers and new nodes lie between them, and still no epoch may come twice. */
let highestEpoch = 0;
/** How far ahead of Redis's clock a reign begins at least. */
const LEAD_US = 86_400_000_000;

/**
 * Something will be forgotten. A change of master puts epochs ahead by a second; that changes lie at least a second
 * apart is assumed (promise 8), and here they do not. What lies ahead only for that reason may be given again.
 */
async function forgetHaste(): Promise<void> {
  const [seconds, microseconds] = await store.time();
  highestEpoch = Math.min(highestEpoch, Number(seconds) * 1_000_000 + Number(microseconds) + LEAD_US);
}

beforeAll(async () => {
  redis = await ForgetfulRedis.start();
  store = redis.client;
  for (const node of NODES) connections.set(node, new Redis(redis.url));
});
afterAll(async () => {
  for (const connection of connections.values()) connection.disconnect();
  await redis.stop();
});

/** The model of Redis, beside the nodes that work on the real one. */
class Run {
  readonly #nodes = new Map<string, Store>();
  readonly #grants: Grant[] = [];
  readonly #attempts = new Map<string, number>();
  #model = new SeatModel();
  #copy = new SeatModel();
  /** The first epoch of the reign. */
  #first = 0;

  /** `isShare`: the org lets programs of one machine share a session. */
  constructor(private readonly isShare: boolean) {
    this.#startNodes();
  }

  /** Also after Redis has lost it. */
  async setRule(): Promise<void> {
    if (this.isShare) await store.hset(keys.settings(ORG), 'sameMachine', 'share');
  }

  /** They have seen nothing yet, as after a restart of all. */
  #startNodes(): void {
    // Long TTLs, so that nothing expires but what `expire` chooses.
    for (const [nodeId, connection] of connections) this.#nodes.set(nodeId, storeOn(connection, { nodeId }));
  }

  async perform(step: Operation): Promise<void> {
    if (['flushall', 'fail over', 'new nodes'].includes(step.type)) await forgetHaste();
    switch (step.type) {
      case 'claim':
        return this.#claim(step);
      case 'renew':
      case 'renew unheard': {
        const grant = this.#grants.at(-1 - step.back);
        return grant && this.#renew([grant], step.type === 'renew');
      }
      case 'renew all':
        return this.#renewAll();
      case 'release':
        return this.#release(this.#grants.at(-1 - step.back));
      case 'lose':
        return this.#lose(this.#grants.at(-1 - step.back));
      case 'evict grant': {
        const grant = this.#grants.at(-1 - step.back);
        return grant && this.#evict(grant.lease.user as User, grant.lease);
      }
      case 'evict':
        return this.#evict(step.user);
      case 'expire':
        return this.#expire(step.user);
      case 'sweep':
        return this.#sweep();
      case 'flushall':
        await redis.flush();
        this.#model = new SeatModel();
        this.#copy = new SeatModel();
        return this.setRule();
      case 'keep copy':
        await redis.keepCopy();
        this.#copy = this.#model.copy();
        return;
      case 'fail over':
        await redis.failOver();
        this.#model = this.#copy.copy();
        this.#first = await this.#firstOfReign();
        return this.setRule();
      case 'new reign':
        return redis.newReign();
      case 'new nodes':
        this.#startNodes();
    }
  }

  async compare(): Promise<void> {
    const { seats, fences, held, counters: expected } = this.#model;
    const [leases, fenceTexts, active, heldTexts, counterTexts, written] = await Promise.all([
      store.mget(USERS.map((one) => keys.lease(ORG, one))),
      store.mget(USERS.map((one) => keys.fence(ORG, one))),
      store.zrange(keys.active(ORG), '0', '-1'),
      store.hgetall(keys.held(ORG)),
      countsOf(store, keys.counters(ORG)),
      store.hget(keys.counters(ORG), 'written:ended'),
    ]);
    const owners = leases.map((text) => {
      const lease = parseLease(text ?? '');
      return (
        lease &&
        `${lease.sessionId} ${lease.epoch} ${lease.rank} ${lease.nodeId} ${lease.machine.id} ${lease.sinceMs}`
      );
    });
    const textOf = (seat: Seat | undefined) =>
      seat
        ? `${seat.sessionId} ${seat.epoch} ${seat.rank} ${seat.node} ${seat.machine} ${seat.sinceMs}`
        : null;
    expect(owners).toEqual(USERS.map((one) => textOf(seats.get(one))));
    expect(fenceTexts).toEqual(
      USERS.map((one) => fences.get(one)).map((fence) => (fence ? `${fence.rank}:${fence.reason}` : null)),
    );
    expect(active.sort()).toEqual([...held.keys()].sort());
    await this.#compareSharers();
    const heldIds = Object.entries(heldTexts).map(([one, text]) => [one, parseLease(text)?.sessionId]);
    expect(Object.fromEntries(heldIds)).toEqual(Object.fromEntries(held));
    const counters = Object.entries({
      ...counterTexts,
      ...(written !== null && { 'written:ended': written }),
    }).map(([name, text]) => [name, Number(text)] as const);
    expect(Object.fromEntries(counters)).toEqual(Object.fromEntries(expected));

    const sum = (chosen: (name: string) => boolean) =>
      counters.filter(([name]) => chosen(name)).reduce((total, [, count]) => total + count, 0);
    const begun = sum((name) => name === 'granted' || name === 'reasserted');
    const ended = sum((name) => name.startsWith('ended:'));
    expect(begun - ended, 'granted + reasserted - all ended = active').toBe(active.length);
    const events = await store.xrange(keys.events(ORG), '-', '+');
    const told = events.filter(([, fields]) => fields[fields.indexOf('type') + 1] === 'session.ended');
    expect(told.length, 'promise 13: an event for each end').toBe(ended);
    const lines = await Promise.all(USERS.map((one) => store.xrange(keys.history(ORG, one), '-', '+')));
    const idIn = (fields: readonly string[]) => fields[fields.indexOf('sessionId') + 1];
    const past = lines.flat().filter(([, fields]) => fields.includes('sessionId'));
    const idsOf = (entries: readonly (readonly [string, string[]])[]) =>
      entries.map(([, fields]) => idIn(fields)).sort();
    expect(idsOf(past), 'a line of history for each end').toEqual(idsOf(told));
    expect(ended, 'promise 13: the counter beside the stream').toBe(Number(written ?? 0));
  }

  async #compareSharers(): Promise<void> {
    for (const one of USERS) {
      const { sharers } = this.#model.seats.get(one) ?? {};
      // A lease that ran out leaves them until somebody sweeps or claims.
      if (sharers === undefined && (this.#model.seats.has(one) || this.#model.held.has(one))) continue;
      const kept = Object.entries(await store.hgetall(keys.sharers(ORG, one))).map(([instance, text]) => {
        const { connection, nodeId, attempt } = JSON.parse(text);
        return [instance, { connection, node: nodeId, attempt: attempt && Number(attempt) }];
      });
      expect(kept).toEqual([...(sharers ?? [])]);
    }
  }

  async #claim(step: Extract<Operation, { type: 'claim' }>): Promise<void> {
    const { seats, held, fences } = this.#model;
    const seat = seats.get(step.user);
    // A client whose lease Redis has lost, or that ended, names what it had.
    const known = seat ?? this.#grants.findLast(({ lease }) => lease.user === step.user)?.lease;
    const { rank: fenceRank = 0, reason: fenceReason = '' } = fences.get(step.user) ?? {};
    const fence = fenceReason === 'taken_over' ? fenceRank - 1 : fenceRank;
    const instance = step.program === 'silent' ? undefined : step.program;
    const attempt = instance && this.#attemptOf(instance, step.attempt);
    const named = {
      none: undefined,
      right: known && { sessionId: known.sessionId, epoch: known.epoch },
      'other epoch': known && { sessionId: known.sessionId, epoch: known.epoch - 1 },
      'wrong session': known && { sessionId: 'another', epoch: known.epoch },
    }[step.resume];
    const machine = { id: step.machine, name: `the: ${step.machine}` };
    const request = requestFor(step.user, machine, {
      onConflict: step.onConflict,
      ...(instance !== undefined && { instance }),
      ...(attempt !== undefined && { attempt }),
      ...(named && { resume: named }),
    });
    const answer = await this.#node(step.node).leases.claim(request);
    const claim = { ...step, instance, attempt, resume: named?.sessionId };
    const verdict = this.#model.judge(seat, claim, this.isShare);
    if (verdict.verdict === 'stale') return expect(answer).toEqual({ outcome: 'stale' });
    if (verdict.verdict === 'conflict') {
      const sameMachine = verdict.sameMachine ? { sameMachine: true } : {};
      expect(answer).toEqual({
        outcome: 'conflict',
        holder: { machine: { name: `the: ${seat?.machine}` }, since: seat?.sinceMs, ...sameMachine },
        isAsking: false,
        question: null,
      });
      return this.#model.count('denied:conflict');
    }
    const { resumed, isRepeat, namesSession, ending } = verdict;
    if (answer.outcome !== 'granted') throw new Error(`not granted: ${JSON.stringify(answer)}`);
    await this.#readFirst();
    expect(answer.isShared).toBe(verdict.isTogether);
    if (verdict.isTogether && seat !== undefined) {
      const own = seat.sharers?.get(instance ?? '');
      expect(answer).toMatchObject({
        resumed: resumed && (namesSession || !isRepeat),
        sessionId: seat.sessionId,
        sinceMs: seat.sinceMs,
        displaced: own
          ? { sessionId: seat.sessionId, connection: own.connection, nodeId: own.node, reason: 'superseded' }
          : null,
      });
      // A person's act that is newer than the reign counts as such: Redis may have lost a newer grant than this one.
      const isAct = !resumed && step.onConflict === 'takeover' && seat.rank < this.#first;
      if (isAct || seat.epoch < this.#first) this.#takeEpoch(answer.epoch);
      else expect(answer.epoch, 'joining is no grant').toBe(seat.epoch);
      const joinedRank = isAct ? answer.epoch : seat.rank;
      expect(answer.rank).toBe(joinedRank);
      if (isAct) fences.set(step.user, { rank: joinedRank, reason: 'taken_over' });
      seats.set(step.user, { ...seat, rank: joinedRank });
      if (!isRepeat) this.#model.count(resumed ? 'resumed' : 'joined');
      this.#grants.push({ node: step.node, lease: { ...leaseFrom(request, answer), isShared: true } });
      const sharer = { connection: request.connection, node: step.node, attempt };
      return this.#model.join(step.user, instance ?? '', sharer, answer.epoch);
    }
    expect(answer).toMatchObject({
      resumed: resumed && (namesSession || !isRepeat),
      sessionId: resumed ? seat?.sessionId : request.sessionId,
      displaced: seat
        ? { sessionId: seat.sessionId, epoch: seat.epoch, nodeId: seat.node, reason: ending ?? 'superseded' }
        : null,
    });
    expect(answer.sinceMs).toBe(resumed ? seat?.sinceMs : answer.nowMs);
    this.#takeEpoch(answer.epoch);
    let rank = answer.epoch;
    const isAct = step.onConflict === 'takeover';
    if (resumed && seat && (isRepeat || (!isAct && seat.rank < this.#first))) rank = seat.rank;
    if (!seat && !isAct && named && named.epoch < this.#first) rank = Math.max(named.epoch, fence);
    expect(answer.rank, 'promise 8: a reconnect is no act of a person').toBe(rank);

    if (seat === undefined && held.has(step.user)) this.#model.end('expired');
    if (!isRepeat) this.#model.count(resumed ? 'resumed' : 'granted');
    if (ending !== null) this.#model.end(ending);
    const lease = leaseFrom(request, answer);
    this.#grants.push({ node: step.node, lease });
    this.#seat(lease, step.node);
  }

  #attemptOf(program: string, which: 'next' | 'again' | 'older'): number {
    const last = this.#attempts.get(program) ?? 1;
    if (which === 'next') this.#attempts.set(program, last + 1);
    return { next: last + 1, again: last, older: last - 1 }[which];
  }

  /** Each node's latest grant of every user, as one batch: what nodes do after they reconnect. */
  async #renewAll(): Promise<void> {
    for (const node of NODES) {
      // One user's grants in one batch would be re-asserted at once, in an order that the model cannot know.
      const latest = new Map(
        this.#grants.filter((grant) => grant.node === node).map((one) => [one.lease.user, one]),
      );
      await this.#renew([...latest.values()], true);
    }
  }

  async #renew(grants: readonly Grant[], isHeard: boolean): Promise<void> {
    const [first] = grants;
    if (first === undefined) return;
    const leases = grants.map(({ lease }) => lease);
    const answers = await this.#node(first.node).leases.renew(ORG, leases);
    expect(answers).toHaveLength(grants.length);
    await this.#readFirst();
    // In the order in which the script and then the re-assertions gave their epochs.
    const raised = answers.flatMap((one) => ('raised' in one && one.raised ? [one.raised.epoch] : []));
    const fresh = raised.filter((epoch) => epoch > highestEpoch).sort((one, other) => one - other);
    for (const [index, grant] of grants.entries()) {
      expect(answers[index]).toMatchObject(this.#renewed(grant, answers[index]));
      if (isHeard) grant.lease = raisedBy(grant.lease, answers[index]);
    }
    for (const epoch of fresh) this.#takeEpoch(epoch);
  }

  #renewed({ lease, node }: Grant, answer: RenewAnswer | undefined): object {
    const { seats, held, fences } = this.#model;
    const { user: one } = lease;
    const seat = seats.get(one);
    const fence = fences.get(one);
    if (seat?.sessionId === lease.sessionId && seat.epoch === lease.epoch && seat.epoch >= this.#first) {
      // Also over an older connection of a program that shares it, as joining is no grant.
      held.set(one, seat.sessionId);
      return { outcome: 'kept', raised: null, ...(seat.sharers !== undefined && { isShared: true }) };
    }
    if (seat !== undefined && isGrant(seat, lease, node)) {
      held.set(one, seat.sessionId);
      if (seat.epoch >= this.#first)
        return { outcome: 'kept', raised: { epoch: seat.epoch, rank: seat.rank } };
      const epoch = raisedEpoch(answer);
      expect(epoch, 'promise 8: nobody stays below the reign').toBeGreaterThanOrEqual(this.#first);
      expect(epoch).toBeGreaterThan(highestEpoch);
      seats.set(one, { ...seat, epoch });
      return { outcome: 'kept', raised: { epoch, rank: seat.rank } };
    }
    if (seat !== undefined && isTogether(seat, lease)) {
      const own = seat.sharers?.get(lease.instance ?? '');
      const isOutdone =
        own && own.connection !== lease.connection && (own.attempt ?? 0) >= (lease.attempt ?? 0);
      if ((fence?.rank ?? 0) <= seat.rank && !isOutdone) {
        const epoch = seat.epoch < this.#first ? raisedEpoch(answer) : seat.epoch;
        if (own === undefined) this.#model.count('joined');
        const sharer = { connection: lease.connection, node, attempt: lease.attempt };
        this.#model.join(one, lease.instance ?? '', sharer, epoch);
        return { outcome: 'kept', raised: { epoch, rank: seat.rank } };
      }
      // It is another connection's by now.
      const isAbove = seat.rank === lease.rank ? seat.epoch > lease.epoch : seat.rank > lease.rank;
      if (isAbove)
        return { outcome: 'lost', reason: 'superseded', by: { id: seat.machine }, epoch: seat.epoch };
      const { rank = 0, reason = '' } = fence ?? {};
      return { outcome: 'lost', reason: rank > lease.rank ? reason : 'superseded', by: null, epoch: rank };
    }
    const givesWay =
      seat === undefined || (seat.rank === lease.rank ? seat.epoch <= lease.epoch : seat.rank < lease.rank);
    if (!givesWay) {
      const reason = seat.machine === lease.machineId ? 'superseded' : 'taken_over';
      return { outcome: 'lost', reason, by: { id: seat.machine }, epoch: seat.epoch };
    }
    if (fence !== undefined && fence.rank > lease.rank)
      return { outcome: 'lost', reason: fence.reason, by: null, epoch: fence.rank };
    const counted = held.get(one);
    if (counted !== undefined && counted !== lease.sessionId)
      this.#model.end(seat === undefined ? 'expired' : 'lease_lost');
    // Expired but not swept: it is still counted, so it simply goes on.
    if (counted !== lease.sessionId) this.#model.count('reasserted');
    const epoch = raisedEpoch(answer);
    expect(epoch, 'whoever stays has an epoch above all').toBeGreaterThan(highestEpoch);
    this.#seat({ ...lease, epoch }, node);
    return { outcome: 'reasserted', raised: { epoch, rank: lease.rank } };
  }

  async #release(grant: Grant | undefined): Promise<void> {
    if (grant === undefined) return;
    const { lease, node } = grant;
    const seat = this.#model.seats.get(lease.user);
    if (seat?.sharers !== undefined && seat.sessionId === lease.sessionId) {
      expect(await this.#node(node).leases.release(lease)).toBe(false);
      this.#model.takeOut(lease.user, lease.sessionId, lease.instance, lease.connection);
      return;
    }
    const isHeld = seat !== undefined && isGrant(seat, lease, node);
    expect(await this.#node(node).leases.release(lease)).toBe(isHeld);
    await this.#readFirst();
    // Others who share it may put it back.
    if (isHeld && lease.isShared) this.#forget(lease.user as User, 'released');
    else if (isHeld) await this.#end(lease.user as User, 'released');
    else if (seat === undefined && !lease.isShared) this.#barReturn(lease.user, lease.epoch, 'released');
  }

  async #lose(grant: Grant | undefined): Promise<void> {
    if (grant === undefined) return;
    const { lease, node } = grant;
    await this.#node(node).leases.unshare(lease);
    this.#model.takeOut(lease.user, lease.sessionId, lease.instance, lease.connection);
  }

  async #evict(one: User, only?: HeldLease): Promise<void> {
    const seat = this.#model.seats.get(one);
    const names = (held: Seat) =>
      only === undefined ||
      (only.sessionId === held.sessionId && held.rank <= only.epoch && only.epoch <= held.epoch);
    const isMeant = seat !== undefined && names(seat);
    const evicted = await this.#node('n1').leases.evict({
      org: ORG,
      user: one,
      reason: 'evicted_by_admin',
      actor: 'test',
      ...(only && { only: { sessionId: only.sessionId, epoch: only.epoch } }),
    });
    await this.#readFirst();
    const ended = evicted && { sessionId: evicted.sessionId, epoch: evicted.epoch };
    expect(ended).toEqual(isMeant ? { sessionId: seat.sessionId, epoch: seat.epoch } : null);
    if (isMeant) await this.#end(one, 'evicted_by_admin');
    else if (only === undefined) await this.#raiseFence(one, 'evicted_by_admin');
    else if (seat === undefined) this.#barReturn(one, only.epoch, 'evicted_by_admin');
  }

  /**
   * The lease really runs out in Redis, only sooner; its entry in `active` is set back to the same moment.
   * With a TTL of some milliseconds for all leases, a slow machine would let the wrong ones run out.
   * leases.test.ts has expiry at the TTL itself.
   */
  async #expire(one: User): Promise<void> {
    if (!this.#model.seats.delete(one)) return;
    await store.pexpire(keys.lease(ORG, one), 1);
    await store.zadd(keys.active(ORG), 1, one);
    await eventually(async () => (await store.pttl(keys.lease(ORG, one))) === -2);
  }

  async #sweep(): Promise<void> {
    const { seats, held } = this.#model;
    const orphans = [...held.keys()].filter((one) => !seats.has(one));
    await store.del(keys.sweepTurn);
    await this.#node('n2').nodes.announce([ORG]);
    expect(await this.#node('n2').sweeper.sweep(1)).toBe(orphans.length);
    for (const one of orphans) {
      held.delete(one);
      this.#model.end('expired');
    }
    expect(await store.zcard(keys.active(ORG))).toBe(seats.size);
  }

  #seat(lease: HeldLease, node: string): void {
    const {
      user: one,
      sessionId,
      epoch,
      rank,
      connection,
      machineId: machine,
      instance,
      attempt,
      sinceMs,
    } = lease;
    const seat = { sessionId, epoch, rank, connection, node, machine, instance, attempt, sinceMs };
    this.#model.seats.set(one, seat);
    this.#model.held.set(one, sessionId);
    this.#model.fences.set(one, { rank, reason: 'taken_over' });
  }

  async #end(one: User, reason: string): Promise<void> {
    await this.#raiseFence(one, reason);
    this.#forget(one, reason);
  }

  #forget(one: User, reason: string): void {
    this.#model.seats.delete(one);
    this.#model.held.delete(one);
    this.#model.end(reason);
  }

  async #raiseFence(one: User, reason: string): Promise<void> {
    const tombstone = Number((await store.get(keys.fence(ORG, one)))?.split(':')[0]);
    this.#takeEpoch(tombstone);
    this.#model.fences.set(one, { rank: tombstone, reason });
  }

  /** A grant that is ended though Redis does not know it must not come back. */
  #barReturn(one: string, epoch: number, reason: string): void {
    if ((this.#model.fences.get(one)?.rank ?? 0) <= epoch)
      this.#model.fences.set(one, { rank: epoch + 1, reason });
  }

  #takeEpoch(epoch: number): void {
    expect(epoch, 'an epoch came again or fell').toBeGreaterThan(highestEpoch);
    highestEpoch = epoch;
  }

  /** The reign is the script's to begin; that it begins above all that was given is the model's to see. */
  async #readFirst(): Promise<void> {
    const first = await this.#firstOfReign();
    if (first !== this.#first && first !== 0)
      expect(first, 'a reign begins above all that was given').toBeGreaterThan(highestEpoch);
    this.#first = first;
  }

  async #firstOfReign(): Promise<number> {
    return Number((await store.get(keys.reign(ORG)))?.split(':')[1] ?? 0);
  }

  #node(nodeId: string): Store {
    const node = this.#nodes.get(nodeId);
    if (node === undefined) throw new Error(`no node ${nodeId}`);
    return node;
  }
}

function isGrant(seat: Seat, lease: HeldLease, node: string): boolean {
  return seat.sessionId === lease.sessionId && seat.connection === lease.connection && seat.node === node;
}

function isTogether(seat: Seat, lease: HeldLease): boolean {
  if (seat.sessionId !== lease.sessionId || seat.rank < lease.rank) return false;
  if (seat.instance === undefined || lease.instance === undefined) return false;
  return seat.sharers !== undefined || seat.instance !== lease.instance;
}

function raisedEpoch(answer: RenewAnswer | undefined): number {
  return answer !== undefined && 'raised' in answer && answer.raised !== null ? answer.raised.epoch : 0;
}

describe('the leases', () => {
  it.each([
    ['one program at a time', false, apart],
    ['programs of one machine that share a session', true, together],
  ] as const)(
    'do what a simple model does, whatever comes in whatever order: %s',
    async (_, isShare, scene) => {
      const orders = fc.array(operationIn(scene), { maxLength: 25, size: 'max' });
      await fc.assert(
        fc.asyncProperty(orders, async (steps) => {
          await forgetHaste();
          await redis.flush();
          const run = new Run(isShare);
          await run.setRule();
          for (const step of steps) {
            await run.perform(step);
            await run.compare();
          }
        }),
        { numRuns: Number(process.env.PROPERTY_RUNS ?? 150) },
      );
    },
    900_000,
  );
});
