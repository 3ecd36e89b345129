import type { ServerMessage } from '#client/protocol/messages.js';
import type { Log } from '../base/log.js';

/** Fields of messages that were no whole numbers: a defect of ours, logged once for each type and field. */
export class FractionReport {
  readonly #reported = new Set<string>();

  constructor(private readonly log: Log) {}

  report(type: ServerMessage['type'], fields: readonly string[]): void {
    for (const field of fields) {
      const place = `${type}.${field}`;
      if (this.#reported.has(place)) continue;
      this.#reported.add(place);
      this.log.error({ type, field }, 'a number in a message was not whole; it was rounded down');
    }
  }
}
