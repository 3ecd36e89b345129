import type { FastifyRequest } from 'fastify';
import type { Standstill } from '../base/standstill.js';
import { Problem } from './problem.js';
import type { Route } from './route.js';

/**
 * Refuses orders that lay in the socket of a node that stood still (promise 15). Node cannot read when the kernel
 * received one, so each order that is read in the first turns after a standstill counts as old: its caller may have
 * given up, and done something else since. A caller that still waits asks again.
 */
export class LateOrders {
  /** How many standstills there had been when the head of the order was read. */
  readonly #before = new WeakMap<FastifyRequest, number>();

  constructor(private readonly standstill: Standstill) {}

  /** When the head has been read. */
  begin(request: FastifyRequest, route: Route): void {
    if (!isOrder(route)) return;
    if (this.standstill.look()) throw late();
    this.#before.set(request, this.standstill.count);
  }

  /** When the order is about to be done: its body may have come in much later than its head. */
  check(request: FastifyRequest, route: Route): void {
    if (!isOrder(route)) return;
    if (this.standstill.look() || this.#before.get(request) !== this.standstill.count) throw late();
    // Nobody would hear the answer.
    if (!request.raw.socket.writable) throw late();
  }
}

/** Whether a route changes anything. */
export function isOrder({ method, changesNothing }: Route): boolean {
  return method !== 'GET' && changesNothing !== true;
}

function late(): Problem {
  const title = 'the order came too late, or its caller has gone; nothing was done';
  return new Problem(503, 'late', title, {}, { 'Retry-After': '1' });
}
