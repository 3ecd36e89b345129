import type { ServerMessage } from './protocol/messages.js';
import { type TicketKeys, verifyTicket } from './verify-ticket.js';
import type { BrokerProof, Vetting } from './vetting.js';

const NONCE_BYTES = 16;

/**
 * For the option `proof` of `connect`: the vendor's broker signs a nonce of each `hello`, and another one cannot. Give it the public keys
 * that are built into the program, as `/v1/keys` of the broker shows them.
 */
export function brokerProof(keys: TicketKeys): BrokerProof {
  return { nonce: newNonce, vetting: () => new ConnectionVetting(keys) };
}

/** Null where the ticket of a `welcome` proves the broker, or a sentence on what is wrong with it. */
export async function faultOf(
  { ticket, sessionId }: { readonly ticket?: unknown; readonly sessionId: string },
  nonce: string,
  keys: TicketKeys,
): Promise<string | null> {
  if (typeof ticket !== 'string') return 'The broker showed no ticket.';
  try {
    // No clock is looked at: the nonce is new, and so is what it stands in. [ticket-no-clock]
    const claims = await verifyTicket(ticket, keys);
    const isOurs = claims.nonce === nonce && claims.sessionId === sessionId;
    return isOurs ? null : 'The ticket of the broker is for another connection.';
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}

function newNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(NONCE_BYTES)); // [nonce-fresh]
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

class ConnectionVetting implements Vetting {
  private inbox: Promise<void> = Promise.resolve();
  private isProven = false;

  constructor(private readonly keys: TicketKeys) {}

  hear(message: ServerMessage, nonce: string, handOn: (fault: string | null) => void): void {
    this.inbox = this.inbox.then(async () => {
      if (message.type === 'welcome') {
        const fault = await faultOf(message, nonce, this.keys); // [ticket-proves]
        this.isProven = fault === null;
        handOn(fault);
        return;
      }
      // Before a `welcome` has proved who speaks here, nothing is believed that gives a seat. [ticket-first]
      const gives = message.type === 'lease' || message.type === 'left';
      if (this.isProven || !gives) handOn(null);
    });
  }

  after(act: () => void): void {
    this.inbox = this.inbox.then(act);
  }
}
