import type { webhookMetrics } from '../../src/base/metrics/webhooks.js';
import { newSecret } from '../../src/outbox/message.js';
import type { WebhookState } from '../../src/store/webhooks.js';
import { Receiver } from '../support/receiver.js';
import type { Cause, Stage } from './stage.js';

const settings = { SOLESEAT_WEBHOOKS_TO_PRIVATE: 'true' };

/** A receiver that answers so, and an event for it. */
async function post(stage: Stage, status: number, state: WebhookState = 'active'): Promise<void> {
  const receiver = await Receiver.start();
  receiver.answer = () => status;
  await stage.node.store.webhooks.put({
    ...{ id: 'w1', url: receiver.url, description: '', types: null, orgs: null },
    secrets: [{ secret: newSecret(), untilMs: null }],
    ...{ state, reason: null, createdAtMs: Date.now() - 60_000 },
  });
  await stage.seat('ada');
}

/** What makes each metric of webhooks move. */
export const webhookCauses = {
  webhookDeliveries: {
    series: 'soleseat_webhook_deliveries_total{outcome="delivered"}',
    settings,
    happen: (stage) => post(stage, 204),
  },
  webhooksWaiting: {
    series: 'soleseat_webhook_events_waiting',
    settings,
    happen: (stage) => post(stage, 500),
  },
  webhooksParked: {
    series: 'soleseat_webhooks_parked',
    settings,
    happen: (stage) => post(stage, 204, 'parked'),
    isMoved: (after) => after === 1,
  },
} satisfies Record<keyof typeof webhookMetrics, Cause>;
