import { randomBytes } from 'node:crypto';
import { Webhook as Signer } from 'standardwebhooks';
import type { StoredEvent } from '../store/event-entries.js';
import type { Webhook } from '../store/webhooks.js';

/** What is posted to a receiver. */
export interface Message {
  /** The same at every attempt: a receiver knows by it what it has had already. */
  readonly id: string;
  readonly body: string;
}

/** The message of an event. Epochs are text: they are larger than some languages’ numbers. */
export function messageOf(org: string, { type, at, ...event }: StoredEvent): Message {
  const { epoch, ...rest } = event;
  const data = { org, ...rest, ...(epoch !== undefined && { epoch: String(epoch) }) };
  return {
    // A dot would end the id in what is signed.
    id: `${encodeURIComponent(org).replaceAll('.', '%2E')}_${event.id}`,
    body: JSON.stringify({ type, timestamp: new Date(at).toISOString(), data }),
  };
}

/** What is posted to see whether events arrive. */
export function testMessage({ id }: Webhook, atMs: number): Message {
  const data = { webhook: id, note: 'Nothing has happened: this tries whether events arrive.' };
  const body = { type: 'webhook.tested', timestamp: new Date(atMs).toISOString(), data };
  return { id: `test_${id}_${atMs}`, body: JSON.stringify(body) };
}

/** The headers of Standard Webhooks, signed with every secret that is good at `nowMs` (Unix ms). */
export function signatureOf(
  { secrets }: Webhook,
  { id, body }: Message,
  nowMs: number,
): Record<string, string> {
  const at = new Date(nowMs);
  const good = secrets.filter(({ untilMs }) => untilMs === null || untilMs > nowMs);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    'webhook-signature': good.map(({ secret }) => new Signer(secret).sign(id, at, body)).join(' '),
  };
}

/** A new secret as Standard Webhooks writes them. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
