import { type MessageSpec, serverMessages } from '#client/protocol/message-table.js';
import type { ServerMessage } from '#client/protocol/messages.js';

/** A message as it goes out, and the fields that were not whole numbers before it was encoded. */
export interface Encoded {
  readonly text: string;
  readonly mended: readonly string[];
}

type MessageType = ServerMessage['type'];

/** Whether messages of a type tell their age: they carry a duration, or may carry one (promise 15). */
export function isTimed(type: MessageType): boolean {
  const spec: MessageSpec = serverMessages[type];
  return spec.isTimed === true;
}

/**
 * The only way to write a message to a client. `elapsedMs` goes into the types that tell their age [broker-elapsed].
 *
 * Every number in a message is a whole number [broker-whole-numbers]: strict readers (Java, Go) break on `1392.9`. A fraction is a defect of
 * ours, yet the message must still be right for them: it is rounded down, and the field is named for the log.
 */
export function encodeMessage(message: ServerMessage, elapsedMs: number): Encoded {
  const mended = fractionsIn(message, '');
  const text = mended.length === 0 ? JSON.stringify(message) : JSON.stringify(message, wholeNumbers);
  // Every message has at least its type, so that there is a field before this one.
  const timed = isTimed(message.type) ? `${text.slice(0, -1)},"elapsedMs":${whole(elapsedMs)}}` : text;
  return { text: timed, mended };
}

/** Shared, since nearly every message is right. */
const none: readonly string[] = [];

function fractionsIn(value: object, path: string): readonly string[] {
  let found = none;
  for (const name in value) {
    const inner: unknown = value[name as keyof typeof value];
    if (typeof inner === 'number') {
      if (!Number.isSafeInteger(inner)) found = [...found, path + name];
    } else if (typeof inner === 'object' && inner !== null) {
      const deeper = fractionsIn(inner, `${path}${name}.`);
      if (deeper !== none) found = [...found, ...deeper];
    }
  }
  return found;
}

function wholeNumbers(_name: string, value: unknown): unknown {
  return typeof value === 'number' ? whole(value) : value;
}

/** Rounded down: a duration must not become longer. What JSON has no whole number for becomes the nearest one. */
function whole(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(Number.MIN_SAFE_INTEGER, Math.floor(value)));
}
