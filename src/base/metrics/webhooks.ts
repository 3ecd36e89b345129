import type { MetricRows } from './row.js';

/** Deliveries to webhooks; all from the one node that has the turn to deliver. */
export const webhookMetrics = {
  webhookDeliveries: [
    'counter',
    'soleseat_webhook_deliveries_total',
    'Attempts to deliver an event to a webhook. `failed`: tried again later; `parked`: put aside after a day; `lost`: the outbox had it no more.',
    { outcome: ['delivered', 'failed', 'parked', 'lost'] },
  ],
  webhooksWaiting: [
    'gauge',
    'soleseat_webhook_events_waiting',
    'Events that wait for delivery, of all webhooks, at the node that delivers; 0 at the others.',
    {},
  ],
  webhooksParked: [
    'gauge',
    'soleseat_webhooks_parked',
    'Webhooks that are sent nothing until an owner resumes them.',
    {},
  ],
} as const satisfies MetricRows;
