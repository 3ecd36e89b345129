import { v7 as uuidv7 } from 'uuid';
import { AdminServer } from '../admin/admin-server.js';
import type { AdminParts } from '../admin/route.js';
import type { Tickets } from '../auth/tickets.js';
import type { WallClock } from '../base/wall-clock.js';
import { Doorkeeper } from '../gateway/doorkeeper.js';
import { FractionReport } from '../gateway/fraction-report.js';
import { Gateway, type GatewayParts } from '../gateway/gateway.js';
import { SharedDoor } from '../gateway/group-door.js';
import { Traffic } from '../gateway/traffic.js';
import type { AdmissionParts } from '../session/admission.js';
import { tokenOf } from '../session/session.js';
import type { Store } from '../store/store.js';
import { askersOf } from './askers.js';
import type { Basics } from './basics.js';
import type { TokenKeys } from './keys.js';
import { pick } from './pick.js';
import type { WorkerGroup } from './worker-group.js';

export interface DoorsParts
  extends Basics,
    Pick<GatewayParts, 'isStoreReady' | 'tls'>,
    Pick<AdminParts, 'webhooks' | 'notReadyBecause' | 'autoSignIn'> {
  readonly store: Store;
  readonly admission: AdmissionParts;
  readonly keys: TokenKeys;
  readonly tickets: Tickets;
  readonly wallMs: WallClock;
  /** Null where this process stands alone. */
  readonly group: WorkerGroup | null;
}

/** The public door, and that of the operators. Neither is open yet. */
export function openDoors(parts: DoorsParts): { readonly gateway: Gateway; readonly admin: AdminServer } {
  const { settings, store, admission, keys, wallMs, isStoreReady, tickets, tls, group } = parts;
  const { clock, log, metrics, tracing, wheel, standstill } = parts;
  const { origins, messageBytes, queueBytes, helloTimeoutMs, messagesPerRenewal, renewEveryMs } = settings;
  const limits = pick(
    settings,
    'connectionsPerAddress',
    'handshakesPerAddress',
    'handshakesPerAddressSecond',
    'handshakesPerSecond',
  );
  const asked = askersOf(settings);
  const gateway = new Gateway({
    conversation: {
      ...{ admission, wheel, standstill, tracing, wallMs, clock, log, metrics },
      ...{ queueBytes, helloTimeoutMs, messagesPerRenewal, renewEveryMs },
      traffic: new Traffic(metrics),
      fractions: new FractionReport(log),
    },
    rules: { origins, gate: keys.clients },
    door: new SharedDoor(new Doorkeeper(limits, clock), group?.door ?? null),
    isStoreReady,
    ...asked,
    own: {
      tickets,
      knownAs: async ({ org, user }) => store.sessions.knownAs(org, user),
      holderOf: ({ org, user }) => store.sessions.get(org, user),
      machinesOf: ({ org, user }) => store.machines.of(org, user),
      signOut: async ({ org, user }, only) => {
        const order = { org, user, reason: 'signed_out', actor: 'user', only } as const;
        return (await store.leases.evict(order)) !== null;
      },
      isStanding: (claims) => store.leases.present({ ...claims, ...tokenOf(claims) }),
    },
    messageBytes,
    tls,
    log,
    metrics,
  });
  const { webhooks, notReadyBecause, autoSignIn } = parts;
  const admin = new AdminServer({
    ...{
      store,
      webhooks,
      gate: keys.admins,
      standstill,
      notReadyBecause,
      group,
      clock,
      wallMs,
      log,
      metrics,
    },
    newId: uuidv7,
    limits: pick(settings, 'importMaxBytes', 'importMaxLines', 'costlyPerMinute'),
    ...asked,
    ...(autoSignIn && { autoSignIn }),
  });
  return { gateway, admin };
}
