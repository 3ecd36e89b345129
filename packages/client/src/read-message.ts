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

type Checks = {
  readonly [T in ServerMessage['type']]: {
    readonly [F in keyof Extract<ServerMessage, { type: T }>]?: (value: unknown) => boolean;
  };
};

/** The fields that the client acts on. The rest is handed to listeners as it came. */
const checks: Checks = {
  welcome: {
    sessionId: isText,
    epoch: isCount, // [epoch-digits]
    ttlMs: isCount,
    renewEveryMs: isCount,
    elapsedMs: isCountOrLeftOut,
  },
  // promise 15: one whose age is there and cannot be read gives nothing.
  lease: { epoch: isCount, ttlMs: isCount, elapsedMs: isCountOrLeftOut },
  evicted: { reason: isText },
  conflict: { holder: isObject },
  jeopardy: { graceMs: isCount },
  draining: { reconnectWithinMs: isCount },
  error: { code: isText, retryAfterMs: isCountOrLeftOut },
  recovered: {},
  token_expiring: {},
  seat_free: {},
  takeover_requested: { by: isObject, answerWithinMs: isCount },
  takeover_withdrawn: {},
  ask_refused: {},
  idle_warning: { inMs: isCount },
  left: { ticket: isText, forMs: isCount },
};

function isServerMessage(value: unknown): value is ServerMessage {
  if (!isObject(value)) return false;
  const known = Object.entries(checks).find(([type]) => type === value.type);
  // [ignore-unknown]
  return known !== undefined && Object.entries(known[1]).every(([field, isGood]) => isGood(value[field]));
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
