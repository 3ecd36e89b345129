/** Tickets: `@soleseat/client/ticket`. Apart from the client, whose bundle stays small without it. */
export { brokerProof } from './broker-proof.js';
export { LeaveRefused, type LeftSeat, leave } from './leave.js';
export {
  type LeaveLook,
  type LeaveRecord,
  lookAtLeave,
  newLeave,
  type TicketHolder,
} from './leave-record.js';
export { type TicketClaims, type TicketKeys, verifyTicket } from './verify-ticket.js';
