import type { ServerMessage } from './protocol/messages.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads one server frame. Null for what this version does not know or cannot use: a newer broker may say
 * more than an older client understands, and that must not end the session.
 */
export function readServerMessage(data: unknown): ServerMessage | null {
  if (typeof data !== 'string') return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  return isServerMessage(value) ? value : null; // [ignore-unreadable]
}

/** Checks the fields that the client acts on; the rest is handed to listeners as it came. */
function isServerMessage(value: unknown): value is ServerMessage {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'welcome':
      return (
        isText(value.sessionId) &&
        isCount(value.epoch) && // [epoch-digits]
        isCount(value.ttlMs) &&
        isCount(value.renewEveryMs) &&
        isCountOrLeftOut(value.elapsedMs)
      );
    case 'lease':
      // promise 15: one whose age is there and cannot be read gives nothing.
      return isCount(value.epoch) && isCount(value.ttlMs) && isCountOrLeftOut(value.elapsedMs);
    case 'evicted':
      return isText(value.reason);
    case 'conflict':
      return isObject(value.holder);
    case 'jeopardy':
      return isCount(value.graceMs);
    case 'draining':
      return isCount(value.reconnectWithinMs);
    case 'error':
      return isText(value.code) && isCountOrLeftOut(value.retryAfterMs);
    case 'recovered':
    case 'token_expiring':
      return true;
    default: // [ignore-unknown]
      return false;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Serialisers of some languages send `null` for what was never set. */
function isCountOrLeftOut(value: unknown): boolean {
  return value === undefined || value === null || isCount(value); // [null-left-out]
}
