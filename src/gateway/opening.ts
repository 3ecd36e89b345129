import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Conversation, ConversationParts } from './conversation.js';

/** A handshake that may go on. */
export interface Opening {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly address: string;
  readonly claims: ConstructorParameters<typeof Conversation>[2];
  readonly trace: ReturnType<ConversationParts['tracing']['begin']>;
  readonly handshake: ReturnType<NonNullable<Opening['trace']>['step']> | undefined;
}
