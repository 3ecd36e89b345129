import { v7 as uuidv7 } from 'uuid';
import type { AdminServer } from './admin/admin-server.js';
import type { AdminParts } from './admin/route.js';
import type { KeyRing } from './auth/keys.js';
import { Tickets } from './auth/tickets.js';
import { monotonicMs } from './base/clock.js';
import { hostPort } from './base/listening.js';
import { createLog, type Log } from './base/log.js';
import { createMetrics, type Metrics } from './base/metrics.js';
import type { Settings } from './base/settings.js';
import { Standstill } from './base/standstill.js';
import { TimerWheel } from './base/timer-wheel.js';
import { Tracing } from './base/tracing.js';
import { VERSION } from './base/version.js';
import { createWallClock } from './base/wall-clock.js';
import type { Basics } from './compose/basics.js';
import { openDoors } from './compose/doors.js';
import { refreshGauges } from './compose/gauges.js';
import { openKeys, type TokenKeys } from './compose/keys.js';
import { type NodeState, notReadyBecause } from './compose/readiness.js';
import { openRedis, type RedisWays } from './compose/redis.js';
import type { Renewed } from './compose/renewed.js';
import { type NodeSessions, openSessions } from './compose/sessions.js';
import { type NodeStore, openStore } from './compose/store.js';
import { openWebhooks } from './compose/webhooks.js';
import type { WorkerGroup } from './compose/worker-group.js';
import type { Gateway } from './gateway/gateway.js';
import type { Deliveries } from './outbox/deliveries.js';
import { awaitContact, makeContact } from './store/first-contact.js';
import type { NodeReport } from './store/nodes.js';
import { Outages } from './store/outages.js';
import type { Store } from './store/store.js';

const TICK_MS = 20;

/** One broker node: builds the parts, starts, drains, stops. */
export class Broker {
  readonly nodeId = uuidv7();
  readonly log: Log;
  readonly metrics: Metrics = createMetrics();
  readonly store: Store;
  readonly #basics: Basics;
  readonly #outages: Outages;
  readonly #redis: RedisWays;
  readonly #kept: NodeStore;
  readonly #keys: TokenKeys;
  readonly #tickets: Tickets;
  readonly #sessions: NodeSessions;
  readonly #deliveries: Deliveries;
  readonly #gateway: Gateway;
  readonly #admin: AdminServer;
  #startedAtMs = 0;
  #isStarted = false;
  #isDraining = false;
  /** By an operator's order: it stays, and takes nobody. */
  #isKeptEmpty = false;
  #isStopped = false;
  #ports = { public: 0, admin: 0 };

  constructor(
    private readonly settings: Settings,
    keys: KeyRing | null,
    more: Partial<
      Pick<Renewed, 'adminKeys' | 'ticketKeys' | 'tls' | 'redisTls'> &
        Pick<AdminParts, 'autoSignIn'> & { readonly group: WorkerGroup | null }
    > = {},
  ) {
    const { nodeId, metrics } = this;
    this.log = createLog(settings.logLevel, nodeId);
    const basics = basicsOf(settings, { nodeId, metrics, log: this.log, clock: monotonicMs });
    this.#basics = basics;
    const outages = new Outages({ clock: monotonicMs, log: this.log });
    this.#outages = outages;
    this.#redis = openRedis(settings, more.redisTls ?? null, { log: this.log, metrics, outages });
    const { commands, subscriber } = this.#redis;
    this.#kept = openStore({
      ...basics,
      redis: commands,
      outages,
      verifyAll: () => this.verifyAll(),
      report: () => this.#report(),
      onOrder: (isToDrain) => this.#keepEmpty(isToDrain),
    });
    const { store, faults, pulse } = this.#kept;
    this.store = store;
    const storeMs = () => store.redisClock.nowMs();
    const wallMs = createWallClock({ systemMs: Date.now, storeMs, clock: monotonicMs });
    this.#keys = openKeys({ ...basics, keys, adminKeys: more.adminKeys ?? null, wallMs });
    const { clients: gate } = this.#keys;
    this.#tickets = new Tickets(more.ticketKeys ?? null, settings.ticketIssuer);
    this.#sessions = openSessions({
      ...basics,
      ...{ store, commands, subscriber, outages, faults, gate, wallMs, tickets: this.#tickets },
    });
    const { deliveries, tools: webhooks } = openWebhooks({ ...basics, store, wallMs });
    this.#deliveries = deliveries;
    const { gateway, admin } = openDoors({
      ...basics,
      ...{ store, webhooks, wallMs, keys: this.#keys, admission: this.#sessions.admission },
      isStoreReady: () => this.#isStarted && pulse.isUp,
      notReadyBecause: () => notReadyBecause(this.#state),
      tickets: this.#tickets,
      tls: more.tls ?? null,
      group: more.group ?? null,
      ...(more.autoSignIn && { autoSignIn: more.autoSignIn }),
    });
    this.#gateway = gateway;
    this.#admin = admin;
    const { inbox, lifecycle } = this.#sessions;
    const isReady = () => this.isReady;
    const looked = {
      ...{ metrics, outages, gateway, commands, inbox, sessions: lifecycle.sessions, isReady },
      worker: more.group?.worker ?? 1,
    };
    metrics.registry.beforeScrape(() => refreshGauges(looked));
  }

  /** The ports in use, for settings of 0. */
  get ports(): { readonly public: number; readonly admin: number } {
    return this.#ports;
  }

  /**
   * Opens the doors, which refuse everybody until Redis is there. Rejects when a port cannot be had, and with a store error
   * when Redis cannot; with `waits`, only when waiting for it is of no use.
   */
  async start({ waits = false } = {}): Promise<void> {
    const { host, port, adminHost, adminPort, otlpEndpoint, commandTimeoutMs } = this.settings;
    const { tracing, wheel, standstill } = this.#basics;
    await tracing.start({ otlpEndpoint, nodeId: this.nodeId, exportTimeoutMs: commandTimeoutMs });
    wheel.start();
    standstill.start();
    this.#keys.start();
    this.#ports = {
      admin: (await this.#admin.listen(adminHost, adminPort)).port,
      public: (await this.#gateway.listen(host, port)).port,
    };
    const { pulse, housekeeping, watch } = this.#kept;
    const { keys } = this.store;
    const contact = { redis: this.#redis.commands, pulse, inbox: this.#sessions.inbox, keys, log: this.log };
    await (waits ? awaitContact(contact, this.#outages, () => !this.#isStopped) : makeContact(contact));
    if (this.#isStopped) return;
    this.#startedAtMs = Math.round(this.store.redisClock.nowMs() ?? 0);
    watch.start();
    housekeeping.start();
    this.#deliveries.start();
    this.#isStarted = true;
    housekeeping.beat();
    this.log.info({ ports: this.#ports }, 'broker started');
  }

  /** Whether it takes sessions now. */
  get isReady(): boolean {
    return notReadyBecause(this.#state) === null;
  }

  /** Promise 12: not ready at once, clients moved with a spread, then everything closed. */
  async drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.log.info({ sessions: this.#sessions.lifecycle.sessions.size }, 'draining');
    await this.#gateway.drain(this.settings.drainMs, Math.random);
    await this.stop();
  }

  /** Obeys `soleseat node drain`, and its opposite. */
  #keepEmpty(isToDrain: boolean): void {
    if (isToDrain === this.#isKeptEmpty || this.#isDraining) return;
    this.#isKeptEmpty = isToDrain;
    this.log.info({ isToDrain, sessions: this.#sessions.lifecycle.sessions.size }, 'ordered by an operator');
    if (isToDrain) void this.#gateway.drain(this.settings.drainMs, Math.random);
    else this.#gateway.reopen();
  }

  /** Puts in place what has been read anew. No session is touched. */
  renew(read: Renewed): void {
    this.#keys.renew(read);
    this.#redis.renew(read);
    if (read.ticketKeys !== null) this.#tickets.replace(read.ticketKeys);
    if (read.tls !== null) this.#gateway.useTls(read.tls);
    this.log.level = read.logLevel;
  }

  /** Closes everything at once. */
  async stop(): Promise<void> {
    [this.#isStarted, this.#isStopped] = [false, true];
    const { tracing, wheel, standstill } = this.#basics;
    const { pulse, housekeeping, watch } = this.#kept;
    watch.stop();
    this.#keys.close();
    housekeeping.stop();
    await this.#deliveries.stop();
    await this.#gateway.close();
    await this.#admin.close();
    wheel.stop();
    standstill.stop();
    pulse.stop();
    await this.#sessions.close();
    // The directory forgets a silent node by itself, and Redis may be what made us stop.
    await this.store.nodes.leave().catch(() => {});
    this.#redis.commands.disconnect();
    await tracing.stop();
    this.log.info('broker stopped');
  }

  verifyAll(): void {
    this.#sessions.verifyAll();
  }

  get #state(): NodeState {
    const [isStarted, outages] = [this.#isStarted, this.#outages];
    const isDraining = this.#isDraining || this.#isKeptEmpty;
    return { isDraining, isStarted, outages, isUp: this.#kept.pulse.isUp, hasKeys: this.#keys.isReady() };
  }

  #report(): NodeReport | null {
    if (!this.#isStarted) return null;
    return {
      version: VERSION,
      publicAddress: hostPort(this.settings.host, this.#ports.public),
      startedAtMs: this.#startedAtMs,
      sessions: this.#sessions.lifecycle.sessions.size,
      state: this.#isDraining || this.#isKeptEmpty ? 'draining' : 'ready',
    };
  }
}

function basicsOf(settings: Settings, senses: Pick<Basics, 'nodeId' | 'clock' | 'log' | 'metrics'>): Basics {
  const { clock, log } = senses;
  const wheel = new TimerWheel(clock, TICK_MS, (error) =>
    log.error({ reason: String(error) }, 'timer failed'),
  );
  const standstill = new Standstill({ clock, log, systemMs: Date.now });
  return { settings, ...senses, tracing: new Tracing(), wheel, standstill };
}
