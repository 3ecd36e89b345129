import { v7 as uuidv7 } from 'uuid';
import { AdminServer } from './admin/admin-server.js';
import type { AdminParts } from './admin/route.js';
import type { KeyRing } from './auth/keys.js';
import { monotonicMs } from './base/clock.js';
import { hostPort } from './base/listening.js';
import { createLog, type Log } from './base/log.js';
import { createMetrics, type Metrics } from './base/metrics.js';
import { createSessionIds } from './base/session-ids.js';
import type { Settings } from './base/settings.js';
import { Standstill } from './base/standstill.js';
import { TimerWheel } from './base/timer-wheel.js';
import { Tracing } from './base/tracing.js';
import { VERSION } from './base/version.js';
import { createWallClock } from './base/wall-clock.js';
import { askersOf } from './compose/askers.js';
import { refreshGauges } from './compose/gauges.js';
import { openKeys, type TokenKeys } from './compose/keys.js';
import { type NodeState, notReadyBecause } from './compose/readiness.js';
import { openRedis, type RedisWays } from './compose/redis.js';
import type { Renewed } from './compose/renewed.js';
import { openUpkeep } from './compose/upkeep.js';
import { openWebhooks } from './compose/webhooks.js';
import { Doorkeeper } from './gateway/doorkeeper.js';
import { FractionReport } from './gateway/fraction-report.js';
import { Gateway } from './gateway/gateway.js';
import { Traffic } from './gateway/traffic.js';
import type { Deliveries } from './outbox/deliveries.js';
import { Evictions } from './session/evictions.js';
import { Registry } from './session/registry.js';
import { Renewals } from './session/renewals.js';
import { Story, type UsersInLog } from './session/story.js';
import { TokenWatch } from './session/tokens-watch.js';
import { FaultLog } from './store/fault-log.js';
import { awaitContact, makeContact } from './store/first-contact.js';
import type { Housekeeping } from './store/housekeeping.js';
import type { NodeReport } from './store/nodes.js';
import { Inbox } from './store/notices.js';
import { Outages } from './store/outages.js';
import type { Pulse } from './store/pulse.js';
import { renewApart } from './store/renew-apart.js';
import { Setbacks } from './store/setbacks.js';
import { createStore, type Store } from './store/store.js';
import { type StoreWatch, watchStore } from './store/watch/store-watch.js';

const TICK_MS = 20;
/** A reconnected inbox has every session verified within this time. */
const VERIFY_WITHIN_MS = 1000;

/** One broker node: builds the parts, starts, drains, stops. */
export class Broker {
  readonly nodeId = uuidv7();
  readonly log: Log;
  readonly metrics: Metrics = createMetrics();
  readonly #tracing = new Tracing();
  readonly #registry = new Registry();
  readonly #wheel: TimerWheel;
  readonly #standstill: Standstill;
  readonly #redis: RedisWays;
  readonly #inbox: Inbox;
  readonly store: Store;
  readonly #renewals: Renewals;
  readonly #outages: Outages;
  readonly #pulse: Pulse;
  readonly #housekeeping: Housekeeping;
  readonly #deliveries: Deliveries;
  readonly #keys: TokenKeys;
  readonly #gateway: Gateway;
  readonly #admin: AdminServer;
  readonly #watch: StoreWatch;
  #startedAtMs = 0;
  #isStarted = false;
  #isDraining = false;
  #isStopped = false;
  #ports = { public: 0, admin: 0 };

  constructor(
    private readonly settings: Settings,
    keys: KeyRing | null,
    more: Partial<Pick<Renewed, 'adminKeys' | 'tls' | 'redisTls'> & Pick<AdminParts, 'autoSignIn'>> = {},
  ) {
    const { nodeId, metrics } = this;
    const [tracing, registry] = [this.#tracing, this.#registry];
    const log = createLog(settings.logLevel, nodeId);
    this.log = log;
    const senses = { clock: monotonicMs, log, metrics };
    this.#wheel = new TimerWheel(monotonicMs, TICK_MS, (error) =>
      log.error({ reason: String(error) }, 'timer failed'),
    );
    this.#standstill = new Standstill({ ...senses, systemMs: Date.now });
    const outages = new Outages(senses);
    this.#outages = outages;
    const faults = new FaultLog(senses);
    this.#redis = openRedis(settings, more.redisTls ?? null, { log, metrics, outages });
    const setbacks = new Setbacks({
      redis: this.#redis.commands,
      keys: () => this.store.keys,
      verifyAll: () => this.verifyAll(),
      ...senses,
    });
    this.store = createStore({
      redis: this.#redis.commands,
      ...senses,
      config: { ...settings, nodeId },
      onClockStep: (stepMs) => setbacks.clockStepped(stepMs),
      onSetback: (setback) => setbacks.wentBack(setback),
    });
    const { leases, licenses, redisClock, keys: names } = this.store;
    ({ housekeeping: this.#housekeeping, pulse: this.#pulse } = openUpkeep({
      settings,
      redis: this.#redis.commands,
      store: this.store,
      setbacks,
      outages,
      faults,
      report: () => this.#report(),
      ...senses,
    }));
    const storeMs = () => redisClock.nowMs();
    const wallMs = createWallClock({ systemMs: Date.now, storeMs, clock: monotonicMs });
    const story = new Story(log, settings.logUsers as UsersInLog);
    const evictions = new Evictions({ registry, ...senses, story, tracing, redisNowMs: storeMs });
    const common = {
      registry,
      evictions,
      story,
      wheel: this.#wheel,
      ...senses,
      tracing,
      ...settings,
    };
    const renewals = new Renewals({
      ...common,
      renew: (org, held) => renewApart({ leases, faults }, org, held),
      random: Math.random,
    });
    this.#renewals = renewals;
    this.#inbox = new Inbox({
      commands: this.#redis.commands,
      subscriber: this.#redis.subscriber,
      channel: names.channelPrefix + nodeId,
      probeEveryMs: settings.probeEveryMs,
      probeTimeoutMs: settings.commandTimeoutMs,
      ...senses,
      outages,
      onEnded: (notice) => evictions.receive(notice, 'pubsub'),
      onContested: (notice) => evictions.contested(notice),
      onSubscribed: () => this.verifyAll(),
    });
    this.#keys = openKeys({ settings, keys, adminKeys: more.adminKeys ?? null, wallMs, ...senses });
    const { clients: gate, admins } = this.#keys;
    const tokenWatch = new TokenWatch(this.#wheel, wallMs, settings.tokenWarningMs);
    const newSessionId = createSessionIds(Date.now);
    const admission = { ...common, newSessionId, gate, leases, licenses, renewals, tokenWatch, wallMs };
    const asked = askersOf(settings);
    this.#gateway = new Gateway({
      conversation: {
        ...common,
        wallMs,
        admission,
        traffic: new Traffic(metrics),
        fractions: new FractionReport(log),
        standstill: this.#standstill,
        release: (lease) => leases.release(lease),
      },
      rules: { origins: settings.origins, gate },
      doorkeeper: new Doorkeeper(settings, monotonicMs),
      isStoreReady: () => this.#isStarted && this.#pulse.isUp,
      ...asked,
      holderOf: (org, user) => this.store.sessions.ofToken(org, user),
      messageBytes: settings.messageBytes,
      tls: more.tls ?? null,
      log,
      metrics,
    });
    const { deliveries, tools } = openWebhooks({ settings, store: this.store, nodeId, wallMs, ...senses });
    this.#deliveries = deliveries;
    this.#admin = new AdminServer({
      store: this.store,
      webhooks: tools,
      gate: admins,
      wallMs,
      standstill: this.#standstill,
      newId: uuidv7,
      ...senses,
      ...asked,
      limits: settings,
      notReadyBecause: () => notReadyBecause(this.#state),
      ...(more.autoSignIn && { autoSignIn: more.autoSignIn }),
    });
    this.#watch = watchStore({
      redis: this.#redis.commands,
      keys: names,
      totals: this.store.totals,
      ...senses,
      faults,
      ...settings,
    });
    const looked = { metrics, registry, outages, gateway: this.#gateway, inbox: this.#inbox };
    const isReady = () => notReadyBecause(this.#state) === null;
    metrics.registry.beforeScrape(() => refreshGauges({ ...looked, ...this.#redis, isReady }));
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
    await this.#tracing.start({ otlpEndpoint, nodeId: this.nodeId, exportTimeoutMs: commandTimeoutMs });
    this.#wheel.start();
    this.#standstill.start();
    this.#keys.start();
    this.#ports = {
      admin: (await this.#admin.listen(adminHost, adminPort)).port,
      public: (await this.#gateway.listen(host, port)).port,
    };
    const { keys } = this.store;
    const contact = {
      redis: this.#redis.commands,
      pulse: this.#pulse,
      inbox: this.#inbox,
      keys,
      log: this.log,
    };
    await (waits ? awaitContact(contact, this.#outages, () => !this.#isStopped) : makeContact(contact));
    if (this.#isStopped) return;
    this.#startedAtMs = Math.round(this.store.redisClock.nowMs() ?? 0);
    this.#watch.start();
    this.#housekeeping.start();
    this.#deliveries.start();
    this.#isStarted = true;
    this.#housekeeping.beat();
    this.log.info({ ports: this.#ports }, 'broker started');
  }

  /** Promise 12: not ready at once, clients moved with a spread, then everything closed. */
  async drain(): Promise<void> {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.log.info({ sessions: this.#registry.size }, 'draining');
    await this.#gateway.drain(this.settings.drainMs, Math.random);
    await this.stop();
  }

  /** Puts in place what has been read anew. No session is touched. */
  renew(read: Renewed): void {
    this.#keys.renew(read);
    this.#redis.renew(read);
    if (read.tls !== null) this.#gateway.useTls(read.tls);
    this.log.level = read.logLevel;
  }

  /** Closes everything at once. */
  async stop(): Promise<void> {
    [this.#isStarted, this.#isStopped] = [false, true];
    this.#watch.stop();
    this.#keys.close();
    this.#housekeeping.stop();
    await this.#deliveries.stop();
    await this.#gateway.close();
    await this.#admin.close();
    this.#wheel.stop();
    this.#standstill.stop();
    this.#pulse.stop();
    this.#inbox.close();
    // The directory forgets a silent node by itself, and Redis may be what made us stop.
    await this.store.nodes.leave().catch(() => {});
    this.#redis.commands.disconnect();
    await this.#tracing.stop();
    this.log.info('broker stopped');
  }

  /** Asks Redis about every session within a second: notices may have been missed, or leases have run out early. */
  verifyAll(): void {
    this.#renewals.verifyAll(Math.min(VERIFY_WITHIN_MS, this.settings.renewEveryMs));
  }

  get #state(): NodeState {
    const [isDraining, isStarted, outages] = [this.#isDraining, this.#isStarted, this.#outages];
    return { isDraining, isStarted, outages, isUp: this.#pulse.isUp, hasKeys: this.#keys.isReady() };
  }

  #report(): NodeReport | null {
    if (!this.#isStarted) return null;
    return {
      version: VERSION,
      publicAddress: hostPort(this.settings.host, this.#ports.public),
      startedAtMs: this.#startedAtMs,
      sessions: this.#registry.size,
      state: this.#isDraining ? 'draining' : 'ready',
    };
  }
}
