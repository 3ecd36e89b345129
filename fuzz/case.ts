/** What kind of input it is: raw WebSocket frames, JSON messages behind a good handshake, or HTTP. */
export const kinds = ['frames', 'messages', 'http'] as const;
export type Kind = (typeof kinds)[number];

/** One input: bytes for a new connection. */
export interface FuzzCase {
  readonly kind: Kind;
  readonly port: 'public' | 'admin';
  /** What is written, one after another: the broker reads them as one or as several. */
  readonly writes: readonly Buffer[];
  /** Codes of closes that the input itself sends: the broker answers with the same. */
  readonly ownCloseCodes: readonly number[];
}

/** What came back. */
export interface Outcome {
  readonly received: Buffer;
  /** Whether the broker accepted the connection at all. */
  readonly isConnected: boolean;
}

/** An input that did harm, so that it can be tried again. */
export interface Fault {
  /** Null where no single input is to blame. */
  readonly number: number | null;
  readonly what: string;
  readonly input: string;
}
