import { type EventName, eventNamed, eventNames } from '../protocol/event-types.js';
import type { ParkedEvent } from '../store/outbox.js';
import type { Webhook } from '../store/webhooks.js';
import { invalid, notFound, Problem } from './problem.js';
import type { RouteParts } from './route.js';
import { timeText } from './schemas.js';

/** What may be changed of a webhook. */
export interface WebhookChanges {
  readonly url?: string;
  readonly description?: string;
  readonly types?: readonly string[] | null;
  readonly orgs?: readonly string[] | null;
  readonly state?: 'active' | 'paused';
}

/** Throws 404 where there is none. */
export async function findWebhook(id: string, { store }: RouteParts): Promise<Webhook> {
  const webhook = await store.webhooks.get(id);
  if (webhook === null) throw notFound('webhook');
  return webhook;
}

/** What is said of it in events: a URL may hold a secret. */
export function aboutOf({ id, url: at }: Webhook) {
  return { webhook: id, host: new URL(at).host };
}

/** A field of it as text, for an event. */
export function wordOf(name: string, webhook: Webhook): string {
  if (name === 'url') return new URL(webhook.url).host;
  const value = webhook[name as 'types' | 'orgs' | 'state' | 'description'];
  return value === null ? 'all' : typeof value === 'string' ? value : value.join(' ');
}

/** A webhook as it goes out: without its secrets. */
export async function viewOf(webhook: Webhook, { store }: RouteParts) {
  const nowMs = store.redisClock.nowMs() ?? Date.now();
  const { secrets, createdAtMs, ...same } = webhook;
  const counts = await store.outbox.counts(webhook.id);
  return {
    ...same,
    ...counts,
    createdAt: timeText(createdAtMs),
    secrets: secrets.filter(({ untilMs }) => untilMs === null || untilMs > nowMs).length,
  };
}

export function parkedView({ parkedAtMs, event, ...same }: ParkedEvent) {
  const { at, ...rest } = event;
  return { ...same, event: { ...rest, at: timeText(at) }, parkedAt: timeText(parkedAtMs) };
}

/** What is to be changed. Throws a Problem where a URL or a type cannot be. */
export function changesIn(
  { types: names, state, ...same }: WebhookChanges,
  { webhooks }: RouteParts,
): Partial<Webhook> {
  if (same.url !== undefined) {
    const fault = webhooks.urlFault(same.url);
    if (fault !== null) throw invalid([{ field: 'url', problem: fault }]);
  }
  const chosen = names?.map((name) => {
    const known = eventNamed(name);
    if (known !== null) return known;
    const fields = [{ field: 'types', problem: `must be of ${eventNames.join(', ')}` }];
    throw new Problem(400, 'unknown_event_type', `there is no event type ${name}`, { fields });
  });
  return {
    ...same,
    ...(names !== undefined && { types: (chosen ?? null) as readonly EventName[] | null }),
    ...(state !== undefined && { state, reason: null }),
  };
}
