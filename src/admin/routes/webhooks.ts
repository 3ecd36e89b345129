import { Type } from 'typebox';
import type { Webhook } from '../../store/webhooks.js';
import { actorOf } from '../access.js';
import { answerPage } from '../cursors.js';
import { Problem } from '../problem.js';
import { route } from '../route.js';
import { count, nullable, object, orgName, pageOf, paging, text, time } from '../schemas.js';
import {
  aboutOf,
  changesIn,
  findWebhook,
  parkedView,
  viewOf,
  type WebhookChanges,
  wordOf,
} from '../webhook-view.js';

const tag = 'webhooks';
const all = '/v1/admin/webhooks';
const one = `${all}/{webhook}` as const;
const MAX_WEBHOOKS = 50;
const MAX_URL = 2_000;
/** Until then what was signed with the secret before is signed with it too. */
const OVERLAP_MS = 86_400_000;
const MAX_OVERLAP_MS = 30 * OVERLAP_MS;

const url = Type.String({ minLength: 1, maxLength: MAX_URL, description: 'Where events are posted to.' });
const description = Type.String({ maxLength: 256, description: 'For people.' });
const types = nullable(
  Type.Array(text('As docs/events.md lists them.'), {
    minItems: 1,
    maxItems: 100,
    description: 'null: all.',
  }),
);
const orgs = nullable(
  Type.Array(orgName('An org.'), {
    minItems: 1,
    maxItems: 1_000,
    description: 'null: all. The org * is the trail of the owners.',
  }),
);
const webhookSchema = object({
  id: Type.String(),
  url,
  description,
  types,
  orgs,
  state: Type.Enum(['active', 'paused', 'parked'], {
    description:
      'paused: an owner wants nothing sent, and events wait. parked: it cannot go on by itself, and hears of nothing new.',
  }),
  reason: nullable(
    Type.Enum(['too_many_waiting', 'gone'], {
      description: 'Why it is parked; gone: the receiver said 410.',
    }),
  ),
  createdAt: time('When it was registered.'),
  secrets: count('How many secrets sign at present.'),
  waiting: count('Events that wait to be tried again, as of the last second.'),
  parked: count('Events that could not be delivered within a day.'),
});
const secret = Type.String({ description: 'whsec_…, shown this once. Receivers check signatures with it.' });

const owners = { role: 'owner', tag } as const;
const unknown = { status: 404, when: 'There is no such webhook' };

export const webhookRoutes = [
  route({
    ...owners,
    id: 'listWebhooks',
    method: 'GET',
    path: all,
    summary: 'The URLs that events are posted to.',
    success: { status: 200, schema: pageOf(webhookSchema) },
    handle: async (_, parts) => {
      const items = await Promise.all((await parts.store.webhooks.list()).map((each) => viewOf(each, parts)));
      return { items, next: null };
    },
  }),
  route({
    ...owners,
    id: 'createWebhook',
    method: 'POST',
    path: all,
    summary: 'Registers a URL. From now on events are posted to it, signed as Standard Webhooks says.',
    body: {
      url,
      description: Type.Optional(description),
      types: Type.Optional(types),
      orgs: Type.Optional(orgs),
    },
    success: { status: 201, schema: object({ webhook: webhookSchema, secret }) },
    problems: [{ status: 409, when: `There are ${MAX_WEBHOOKS} already` }],
    handle: async ({ body, caller }, parts) => {
      const { store, newId } = parts;
      if ((await store.webhooks.list()).length >= MAX_WEBHOOKS)
        throw new Problem(409, 'too_many_webhooks', `there are ${MAX_WEBHOOKS} webhooks already`);
      const { newSecret } = parts.webhooks;
      const first = newSecret();
      const webhook: Webhook = {
        id: newId(),
        url: '',
        description: '',
        types: null,
        orgs: null,
        secrets: [{ secret: first, untilMs: null }],
        state: 'active',
        reason: null,
        createdAtMs: Math.floor(store.redisClock.nowMs() ?? Date.now()),
        ...changesIn(body as WebhookChanges, parts),
      };
      await store.webhooks.put(webhook);
      await store.webhooks.tell('webhook.created', actorOf(caller), {
        ...aboutOf(webhook),
        types: webhook.types?.join(' ') ?? 'all',
        orgs: webhook.orgs?.join(' ') ?? 'all',
      });
      return { webhook: await viewOf(webhook, parts), secret: first };
    },
  }),
  route({
    ...owners,
    id: 'getWebhook',
    method: 'GET',
    path: one,
    summary: 'One webhook.',
    success: { status: 200, schema: webhookSchema },
    problems: [unknown],
    handle: async ({ params }, parts) => viewOf(await findWebhook(params.webhook, parts), parts),
  }),
  route({
    ...owners,
    id: 'changeWebhook',
    method: 'PATCH',
    path: one,
    summary: 'Changes what is named. `state` active resumes a webhook that is paused or parked.',
    body: {
      url: Type.Optional(url),
      description: Type.Optional(description),
      types: Type.Optional(types),
      orgs: Type.Optional(orgs),
      state: Type.Optional(Type.Enum(['active', 'paused'])),
    },
    success: { status: 200, schema: webhookSchema },
    problems: [unknown],
    handle: async ({ params, body, caller }, parts) => {
      const changes = changesIn(body as WebhookChanges, parts);
      const webhook: Webhook = { ...(await findWebhook(params.webhook, parts)), ...changes };
      await parts.store.webhooks.put(webhook);
      await parts.store.webhooks.tell('webhook.changed', actorOf(caller), {
        ...aboutOf(webhook),
        ...Object.fromEntries(Object.keys(body as object).map((name) => [name, wordOf(name, webhook)])),
      });
      return viewOf(webhook, parts);
    },
  }),
  route({
    ...owners,
    id: 'deleteWebhook',
    method: 'DELETE',
    path: one,
    summary: 'Removes a webhook, and all that waits for it.',
    success: { status: 204 },
    problems: [unknown],
    handle: async ({ params, caller }, parts) => {
      const webhook = await findWebhook(params.webhook, parts);
      await parts.store.webhooks.remove(webhook.id);
      await parts.store.webhooks.tell('webhook.deleted', actorOf(caller), aboutOf(webhook));
      return undefined;
    },
  }),
  route({
    ...owners,
    id: 'rotateWebhookSecret',
    method: 'POST',
    path: `${one}/rotate-secret`,
    summary: 'A new secret. For a day, or as long as is said, messages are signed with the one before too.',
    body: {
      overlapMs: Type.Optional(
        Type.Integer({ minimum: 0, maximum: MAX_OVERLAP_MS, description: 'For how long; a day.' }),
      ),
    },
    success: { status: 200, schema: object({ webhook: webhookSchema, secret }) },
    problems: [unknown],
    handle: async ({ params, body, caller }, parts) => {
      const before = await findWebhook(params.webhook, parts);
      const nowMs = Math.floor(parts.store.redisClock.nowMs() ?? Date.now());
      const untilMs = nowMs + (body.overlapMs ?? OVERLAP_MS);
      const made = parts.webhooks.newSecret();
      const old = before.secrets
        .map((each) => ({ ...each, untilMs: Math.min(each.untilMs ?? untilMs, untilMs) }))
        .filter((each) => each.untilMs > nowMs);
      const webhook: Webhook = { ...before, secrets: [{ secret: made, untilMs: null }, ...old] };
      await parts.store.webhooks.put(webhook);
      await parts.store.webhooks.tell('webhook.secret_rotated', actorOf(caller), aboutOf(webhook));
      return { webhook: await viewOf(webhook, parts), secret: made };
    },
  }),
  route({
    ...owners,
    id: 'testWebhook',
    method: 'POST',
    cost: 'delivery',
    path: `${one}/test`,
    summary: 'Posts one message of the type webhook.tested at once, and tells how it went.',
    success: {
      status: 200,
      schema: object({
        delivered: Type.Boolean(),
        status: Type.Optional(Type.Integer({ description: 'What the receiver answered.' })),
        error: Type.Optional(Type.String({ description: 'Why it was not delivered.' })),
      }),
    },
    problems: [unknown],
    handle: async ({ params, caller }, parts) => {
      const webhook = await findWebhook(params.webhook, parts);
      const sent = await parts.webhooks.tryOut(webhook);
      const outcome = sent.outcome === 'delivered' ? `HTTP ${sent.status}` : sent.error;
      await parts.store.webhooks.tell('webhook.tested', actorOf(caller), { ...aboutOf(webhook), outcome });
      return sent.outcome === 'delivered'
        ? { delivered: true, status: sent.status }
        : { delivered: false, error: sent.error };
    },
  }),
  route({
    ...owners,
    id: 'listParkedEvents',
    method: 'GET',
    path: `${one}/parked`,
    summary: 'Events that could not be delivered within a day, the newest first.',
    query: paging,
    success: {
      status: 200,
      schema: pageOf(
        object({
          id: Type.String({ description: 'For replaying it.' }),
          org: Type.String(),
          event: Type.Object({}, { description: 'As listEvents gives it.', additionalProperties: true }),
          attempts: count('How often it was tried.'),
          error: Type.String({ description: 'What was wrong the last time.' }),
          parkedAt: time('When it was put aside.'),
        }),
      ),
    },
    problems: [unknown, { status: 400, when: 'The cursor is none of this list' }],
    handle: async (call, parts) => {
      const { id } = await findWebhook(call.params.webhook, parts);
      return answerPage(call, (cursor, limit) => parts.store.outbox.parked(id, cursor, limit), parkedView);
    },
  }),
  route({
    ...owners,
    id: 'replayParkedEvents',
    method: 'POST',
    path: `${one}/replay`,
    summary: 'Sends events again that could not be delivered: those that are named, or all.',
    body: {
      ids: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 10_000 })),
    },
    success: { status: 200, schema: object({ replayed: count('How many are sent again.') }) },
    problems: [unknown],
    handle: async ({ params, body, caller }, parts) => {
      const webhook = await findWebhook(params.webhook, parts);
      const ids = body.ids === undefined ? null : new Set(body.ids as readonly string[]);
      const replayed = await parts.store.outbox.replay(webhook.id, ids);
      const fields = { ...aboutOf(webhook), events: String(replayed) };
      if (replayed > 0) await parts.store.webhooks.tell('webhook.replayed', actorOf(caller), fields);
      return { replayed };
    },
  }),
];
