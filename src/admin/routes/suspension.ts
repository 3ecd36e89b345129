import { actorOf } from '../access.js';
import { Problem } from '../problem.js';
import { type RouteParts, route } from '../route.js';
import { count, note, object, timeOrNull, timeTextOrNull } from '../schemas.js';

const one = '/v1/admin/orgs/{org}';

/** Suspends an org, and lets it in again. */
export const suspensionRoutes = [
  suspension(
    'suspend',
    true,
    'Keeps all of the org out; its sessions end within moments. No license changes.',
  ),
  suspension('reinstate', false, 'Lets a suspended org in again.'),
];

function suspension(action: 'suspend' | 'reinstate', on: boolean, summary: string) {
  return route({
    id: `${action}Org`,
    method: 'POST',
    path: `${one}/${action}`,
    role: 'owner',
    tag: 'orgs',
    summary,
    body: { note },
    success: {
      status: 200,
      schema: object({
        suspendedAt: timeOrNull('Since when the org has been suspended.'),
        ending: count('Sessions that are being ended.'),
      }),
    },
    problems: [{ status: 409, when: on ? 'It is suspended' : 'It is not suspended' }],
    handle: async ({ params: { org }, body, caller }, { store, log }) => {
      const why = body.note !== undefined && { note: body.note };
      const done = await store.orgs.suspend({ org, on, actor: actorOf(caller), ...why });
      if (done === null)
        throw new Problem(409, 'wrong_status', `the org is ${on ? 'suspended already' : 'not suspended'}`);
      if (done.sessions > 0) endSessions(org, store, log);
      return { suspendedAt: timeTextOrNull(await store.orgs.suspendedAt(org)), ending: done.sessions };
    },
  });
}

/** In batches, beside whatever else Redis does. What fails here is done by the next sweep, of any node. */
function endSessions(org: string, { sweeper }: RouteParts['store'], log: RouteParts['log']): void {
  sweeper.lookAt(org).catch((error: unknown) => {
    log.warn({ org, reason: String(error) }, 'sessions of a suspended org are left to the sweep');
  });
}
