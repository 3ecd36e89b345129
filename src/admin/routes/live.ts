import { Type } from 'typebox';
import { reachStore } from '../../store/errors.js';
import { forbidden } from '../access.js';
import { type Overviews, overviewSchema } from '../overviews.js';
import { notFound } from '../problem.js';
import { route } from '../route.js';
import { count, object, orgName, pageOf, time, timeText } from '../schemas.js';
import { pause, serverSentEvent } from '../streams.js';

const tag = 'nodes';
const EVERY_MS = 1000;

const nodeSchema = object({
  nodeId: Type.String(),
  lastSeen: time('Its last heartbeat.'),
  isLive: Type.Boolean({ description: 'Heard within the last seconds.' }),
  version: Type.Optional(Type.String()),
  schema: Type.Optional(
    Type.String({ description: 'The version of the data that it writes; left out by version 0.1.' }),
  ),
  publicAddress: Type.Optional(Type.String({ description: 'Where clients reach it, as it listens.' })),
  startedAt: Type.Optional(time('When it started.')),
  sessions: Type.Optional(count('Sessions that it serves.')),
  state: Type.Optional(Type.Enum(['ready', 'draining'])),
});

export const liveRoutes = [
  route({
    id: 'listNodes',
    method: 'GET',
    path: '/v1/admin/nodes',
    role: 'viewer',
    allOrgs: true,
    tag,
    summary: 'The nodes of this Redis, the one heard last first.',
    success: { status: 200, schema: pageOf(nodeSchema) },
    handle: async (_call, { store }) => {
      const records = await reachStore(() => store.nodes.list());
      const items = records.map(({ lastSeenMs, startedAtMs, ...same }) => ({
        ...same,
        lastSeen: timeText(lastSeenMs),
        ...(startedAtMs !== undefined && { startedAt: timeText(startedAtMs) }),
      }));
      return { items, next: null };
    },
  }),
  route({
    id: 'watchOverview',
    method: 'GET',
    path: '/v1/admin/live',
    role: 'viewer',
    tag,
    summary:
      'An `overview` event every second: sessions, licenses, takeovers, nodes, Redis; `nodeEvictionLatency` is of the node that answers alone.',
    query: { org: Type.Optional(orgName('Only this org; left out: all of them, for a token for all orgs.')) },
    success: { status: 200, streams: ['text/event-stream'], frames: overviewSchema },
    problems: [{ status: 404, when: 'There is no such org, or the token is not for it' }],
    handle: async (call, { store, streams, overviews }) => {
      const { caller, query } = call;
      const org = query.org ?? null;
      if (org === null && caller.org !== null) throw forbidden();
      if (org !== null && caller.org !== null && caller.org !== org) throw notFound('org');
      if (org !== null && !(await store.orgs.exists(org))) throw notFound('org');
      return streams.answer(call, 'text/event-stream', (signal) => watch(overviews, org, signal));
    },
  }),
];

async function* watch(overviews: Overviews, org: string | null, signal: AbortSignal): AsyncGenerator<string> {
  do {
    yield serverSentEvent(await overviews.of(org), { name: 'overview' });
  } while (await pause(EVERY_MS, signal));
}
