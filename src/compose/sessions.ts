import type { Redis } from 'ioredis';
import type { TokenGate } from '../auth/gate.js';
import type { Tickets } from '../auth/tickets.js';
import type { ClientClaims } from '../auth/tokens.js';
import { createSessionIds } from '../base/session-ids.js';
import type { WallClock } from '../base/wall-clock.js';
import type { AdmissionParts } from '../session/admission.js';
import { Departures } from '../session/departures.js';
import { IdleWatch } from '../session/idle-watch.js';
import { Lifecycle } from '../session/lifecycle.js';
import { Questions } from '../session/questions.js';
import { Renewals } from '../session/renewals.js';
import { Sharers } from '../session/sharers.js';
import type { UsersInLog } from '../session/story.js';
import { TokenWatch } from '../session/tokens-watch.js';
import { Waiters } from '../session/waiters.js';
import type { FaultLog } from '../store/fault-log.js';
import { Inbox } from '../store/notices.js';
import type { Outages } from '../store/outages.js';
import type { RedisConnection } from '../store/redis.js';
import { renewApart } from '../store/renew-apart.js';
import type { Store } from '../store/store.js';
import type { Basics } from './basics.js';

/** A reconnected inbox has every session verified within this time. */
const VERIFY_WITHIN_MS = 1000;

export interface SessionsParts extends Basics {
  readonly store: Store;
  readonly commands: RedisConnection;
  readonly subscriber: Redis;
  readonly outages: Outages;
  readonly faults: FaultLog;
  readonly gate: TokenGate<ClientClaims>;
  readonly wallMs: WallClock;
  readonly tickets: Tickets;
}

/** The sessions of a node: how they begin, go on and end. */
export interface NodeSessions {
  readonly lifecycle: Lifecycle;
  readonly admission: AdmissionParts;
  readonly inbox: Inbox;
  /** Asks Redis about every session within a second: notices may have been missed, or leases have run out early. */
  verifyAll(): void;
  /** When no connection is left. Never rejects. */
  close(): Promise<void>;
}

export function openSessions(parts: SessionsParts): NodeSessions {
  const { settings, nodeId, store, commands, subscriber, outages, faults, gate, wallMs, tickets } = parts;
  const { clock, log, metrics, tracing, wheel } = parts;
  const { leaseTtlMs, renewEveryMs, jeopardyGraceMs, tokenWarningMs } = settings;
  const { asks, leaves, leases, licenses, redisClock, keys } = store;
  const senses = { clock, log, metrics };
  const lifecycle = new Lifecycle({
    release: (lease) => leases.release(lease),
    onSharerLost: (gone) => sharers.lost(gone),
    redisNowMs: () => redisClock.nowMs(),
    logUsers: settings.logUsers as UsersInLog,
    log,
    metrics,
    tracing,
  });
  const renewals = new Renewals({
    renew: (org, held) => renewApart({ leases, faults }, org, held),
    random: Math.random,
    ...{ lifecycle, wheel, leaseTtlMs, renewEveryMs, jeopardyGraceMs },
    ...senses,
  });
  const verifyAll = (org?: string) => {
    renewals.verifyAll(Math.min(VERIFY_WITHIN_MS, renewEveryMs), org);
    sharers.verify(Math.min(VERIFY_WITHIN_MS, renewEveryMs), org);
  };
  const inbox = new Inbox({
    commands,
    subscriber,
    channel: keys.channelPrefix + nodeId,
    probeEveryMs: settings.probeEveryMs,
    probeTimeoutMs: settings.commandTimeoutMs,
    ...senses,
    outages,
    onEnded: (notice) => lifecycle.receive(notice, 'pubsub'),
    onContested: (notice) => lifecycle.contested(notice),
    onShared: (notice) => lifecycle.shared(notice),
    onVerify: verifyAll,
    onAsked: (notice) => questions.receive(notice),
    onWaiter: (notice) => waiters.receive(notice),
    onSubscribed: () => verifyAll(),
  });
  const tokenWatch = new TokenWatch(wheel, wallMs, tokenWarningMs);
  const questions = new Questions({ asks, lifecycle, wheel, log });
  const waiters = new Waiters({ asks, wheel, clock, log });
  const departures = new Departures({ leaves, tickets, lifecycle, renewals, wheel, log });
  const sharers = new Sharers({ leases, lifecycle, wheel, random: Math.random, log, leaseTtlMs });
  const idleMsOf = (org: string, user: string) => store.sessions.idleMsOf(org, user);
  const idleWatch = new IdleWatch({ wheel, clock, leases, idleMsOf, renewals, lifecycle, log });
  const newSessionId = createSessionIds(Date.now);
  const admission = {
    ...{ gate, leases, licenses, lifecycle, renewals, tokenWatch, idleWatch },
    knownAs: (org: string, user: string) => store.sessions.knownAs(org, user),
    ...{ questions, waiters, departures },
    ...{ tickets, newSessionId, wallMs, renewEveryMs },
    ...senses,
  };
  const close = async () => {
    inbox.close();
    await sharers.close();
  };
  return { lifecycle, admission, inbox, verifyAll, close };
}
