import { StoreDefect, storeError } from './errors.js';
import type { FaultLog } from './fault-log.js';
import type { HeldLease, RenewAnswer } from './lease-types.js';
import type { Leases } from './leases.js';

/**
 * Renews a batch so that a broken record endangers its own session only (promise 16), and tells of the defect. The session
 * with the broken record cannot be confirmed: it ends by its own deadline (promise 6).
 */
export async function renewApart(
  { leases, faults }: { readonly leases: Pick<Leases, 'renew'>; readonly faults: FaultLog },
  org: string,
  held: readonly HeldLease[],
): Promise<RenewAnswer[]> {
  const answers = await halve(leases, org, held);
  for (const answer of answers) {
    if (answer.outcome === 'failed' && storeError(answer.cause) instanceof StoreDefect)
      faults.failed(`renewals of ${org}`, answer.cause);
  }
  return answers;
}

/**
 * The script of a batch fails as a whole. Half the batch is tried alone, until the broken record stands alone. Leases may
 * be renewed twice by that, which does no harm.
 */
async function halve(
  leases: Pick<Leases, 'renew'>,
  org: string,
  held: readonly HeldLease[],
): Promise<RenewAnswer[]> {
  try {
    return await leases.renew(org, held);
  } catch (cause) {
    if (!(cause instanceof StoreDefect)) throw cause;
    if (held.length <= 1) return held.map(() => ({ outcome: 'failed', cause }));
    const middle = held.length >> 1;
    const halves = [held.slice(0, middle), held.slice(middle)].map((half) =>
      // Redis may go out of reach meanwhile: what the other half was told still holds.
      halve(leases, org, half).catch((away): RenewAnswer[] =>
        half.map(() => ({ outcome: 'failed', cause: away })),
      ),
    );
    return (await Promise.all(halves)).flat();
  }
}
