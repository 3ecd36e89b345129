import type { CloseReason } from '#client/protocol/close-codes.js';
import type { ServerMessage } from '#client/protocol/messages.js';

/** What the life of a seat needs of its connection. */
export interface Link {
  /** The address of the peer. */
  readonly address: string;
  /** Whether it has been closed, by either side. */
  readonly isEnded: boolean;
  send(message: ServerMessage): void;
  /** A ping, and the message if there is one, in one write. */
  pingWith(message: ServerMessage | null): void;
  /** Whether the last pings went unanswered. */
  isSilent(): boolean;
  /**
   * Sends the notice, closes with the reason's code, and ignores whatever still comes in.
   * `onClosed` is called once the connection is gone: answered when the peer answered the close, and so has read
   * the notice.
   */
  end(reason: CloseReason, notice?: ServerMessage, onClosed?: (isAnswered: boolean) => void): void;
}
