import type { Check } from '../check.js';
import { askingChecks } from './asking.js';
import { backoffChecks } from './backoff.js';
import { conflictChecks } from './conflict.js';
import { endingChecks } from './endings.js';
import { handshakeChecks } from './handshakes.js';
import { helloChecks } from './hello.js';
import { idleChecks } from './idle.js';
import { leaseChecks } from './lease.js';
import { leavingChecks } from './leaving.js';
import { livenessChecks } from './liveness.js';
import { messageChecks } from './messages.js';
import { reconnectChecks } from './reconnect.js';
import { stallChecks } from './stalls.js';
import { takingAlongChecks } from './taking-along.js';
import { ticketChecks } from './tickets.js';
import { tokenChecks } from './tokens.js';

/** Every check of the kit, in the order in which a report shows them. */
export const checks: readonly Check[] = [
  ...helloChecks,
  ...messageChecks,
  ...reconnectChecks,
  ...backoffChecks,
  ...endingChecks,
  ...handshakeChecks,
  ...tokenChecks,
  ...leaseChecks,
  ...livenessChecks,
  ...stallChecks,
  ...conflictChecks,
  ...askingChecks,
  ...idleChecks,
  ...ticketChecks,
  ...takingAlongChecks,
  ...leavingChecks,
];
