import type { WebhookTools } from '../admin/route.js';
import type { WallClock } from '../base/wall-clock.js';
import { Deliveries } from '../outbox/deliveries.js';
import { newSecret } from '../outbox/message.js';
import { Sender } from '../outbox/sender.js';
import { urlFault } from '../outbox/url-fault.js';
import type { Store } from '../store/store.js';
import type { Basics } from './basics.js';

/** What delivers webhooks at this node, and what the admin API needs of it. */
export function openWebhooks(parts: Basics & { readonly store: Store; readonly wallMs: WallClock }): {
  readonly deliveries: Deliveries;
  readonly tools: WebhookTools;
} {
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
