import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Metrics } from '../base/metrics.js';

export interface ProbeParts {
  readonly metrics: Metrics;
  readonly notReadyBecause: () => string | null;
}

/** What orchestrators and Prometheus ask for, without a token. */
export function serveProbes(app: FastifyInstance, { metrics, notReadyBecause }: ProbeParts): void {
  const get = (url: string, answer: (reply: FastifyReply) => FastifyReply | Promise<FastifyReply>) =>
    app.route({ method: ['GET', 'HEAD'], url, handler: async (_request, reply) => answer(reply) });
  get('/livez', (reply) => line(reply, 'alive'));
  get('/readyz', (reply) => {
    const reason = notReadyBecause();
    return reason === null ? line(reply, 'ready') : line(reply.code(503).header('Retry-After', '2'), reason);
  });
  get('/metrics', async (reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}

function line(reply: FastifyReply, words: string): FastifyReply {
  return reply.type('text/plain').send(`${words}\n`);
}
