import type { ClientMessage, ServerMessage } from '#client/protocol/messages.js';
import type { Metrics } from '../base/metrics.js';

type Counts<T extends string> = Partial<Record<T, number>>;

/** Counts messages in plain numbers, since every message passes here; a scrape moves them to the metrics. */
export class Traffic {
  #received: Counts<ClientMessage['type'] | 'invalid'> = {};
  #sent: Counts<ServerMessage['type']> = {};
  #receivedBytes = 0;
  #sentBytes = 0;

  constructor(private readonly metrics: Metrics) {
    metrics.registry.beforeScrape(() => this.#flush());
  }

  received(type: ClientMessage['type'] | 'invalid', bytes: number): void {
    this.#received[type] = (this.#received[type] ?? 0) + 1;
    this.#receivedBytes += bytes;
  }

  sent(type: ServerMessage['type'], bytes: number): void {
    this.#sent[type] = (this.#sent[type] ?? 0) + 1;
    this.#sentBytes += bytes;
  }

  #flush(): void {
    const { messagesReceived, messagesSent, receivedBytes, sentBytes } = this.metrics;
    for (const [type, count] of entriesOf(this.#received)) messagesReceived.inc({ type }, count);
    for (const [type, count] of entriesOf(this.#sent)) messagesSent.inc({ type }, count);
    receivedBytes.inc(this.#receivedBytes);
    sentBytes.inc(this.#sentBytes);
    this.#received = {};
    this.#sent = {};
    this.#receivedBytes = 0;
    this.#sentBytes = 0;
  }
}

function entriesOf<T extends string>(counts: Counts<T>): [T, number][] {
  return Object.entries(counts) as [T, number][];
}
