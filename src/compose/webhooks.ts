import type { WebhookTools } from '../admin/route.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { Settings } from '../base/settings.js';
import type { WallClock } from '../base/wall-clock.js';
import { Deliveries } from '../outbox/deliveries.js';
import { newSecret } from '../outbox/message.js';
import { Sender } from '../outbox/sender.js';
import { urlFault } from '../outbox/url-fault.js';
import type { Store } from '../store/store.js';

/** What delivers webhooks at this node, and what the admin API needs of it. */
export function openWebhooks(parts: {
  readonly settings: Pick<Settings, 'webhooksToPrivate'>;
  readonly store: Pick<Store, 'webhooks' | 'outbox' | 'redisClock'>;
  readonly nodeId: string;
  readonly wallMs: WallClock;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}): { readonly deliveries: Deliveries; readonly tools: WebhookTools } {
  const { settings, store, nodeId, wallMs, clock, log, metrics } = parts;
  const allowPrivate = settings.webhooksToPrivate;
  const deliveries = new Deliveries({
    webhooks: store.webhooks,
    outbox: store.outbox,
    sender: new Sender({ allowPrivate, wallMs }),
    nodeId,
    nowMs: () => store.redisClock.nowMs() ?? Date.now(),
    clock,
    random: Math.random,
    log,
    metrics,
  });
  const tryOut: WebhookTools['tryOut'] = (webhook) => deliveries.tryOut(webhook);
  return { deliveries, tools: { tryOut, newSecret, urlFault: (url) => urlFault(url, allowPrivate) } };
}
