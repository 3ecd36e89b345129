import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Metrics } from '../base/metrics.js';

/** Why a node takes no new sessions. */
export interface NotReady {
  /** In plain words. Anybody may ask, so it names no host, no user and no secret. */
  readonly reason: string;
  /** For programs, where Redis is the reason: a value of the metric `soleseat_redis_down_cause`. */
  readonly cause?: string;
}

export interface ProbeParts {
  readonly metrics: Metrics;
  readonly notReadyBecause: () => NotReady | null;
  /** The processes that share the ports; null where this one stands alone. */
  readonly group: ProbedGroup | null;
}

export interface ProbedGroup {
  /** The metrics of all, added up. */
  metrics(): Promise<string>;
  /** Whether another one takes sessions. */
  isReadyElsewhere(): Promise<boolean>;
}

export const probePaths = ['/livez', '/readyz', '/metrics'] as const;

/** What orchestrators and Prometheus ask for, without a token. */
export function serveProbes(app: FastifyInstance, { metrics, notReadyBecause, group }: ProbeParts): void {
  const get = (
    url: (typeof probePaths)[number],
    answer: (reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
  ) => app.route({ method: ['GET', 'HEAD'], url, handler: async (_request, reply) => answer(reply) });
  get('/livez', (reply) => reply.type('text/plain').send('alive\n'));
  get('/readyz', async (reply) => {
    const why = notReadyBecause();
    // A worker that has just been started again makes the others no less ready.
    if (why === null || (await group?.isReadyElsewhere())) return reply.send({ ready: true });
    return reply
      .code(503)
      .header('Retry-After', '2')
      .send({ ready: false, ...why });
  });
  get('/metrics', async (reply) =>
    reply.type(metrics.registry.contentType).send(await (group ?? metrics.registry).metrics()),
  );
}
