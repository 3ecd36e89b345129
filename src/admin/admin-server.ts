import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type HTTPMethods,
} from 'fastify';
import type { AdminClaims } from '../auth/tokens.js';
import { listenAt } from '../base/listening.js';
import { isPlainText } from '../protocol/text.js';
import { StoreUnavailable } from '../store/errors.js';
import { OWNERS_ORG } from '../store/webhooks.js';
import { admit } from './access.js';
import { consolePaths, serveConsole } from './console-files.js';
import { FailedLogIns } from './failed-log-ins.js';
import { ImportPlaces } from './import-places.js';
import { LateOrders } from './late-orders.js';
import { paramsWithNames, withKeptNames, withNames } from './names.js';
import { Overviews } from './overviews.js';
import { refuseBadHost, refuseForeignName } from './own-names.js';
import { probePaths, serveProbes } from './probes.js';
import { notFound, PROBLEM_TYPE, Problem, problemOf } from './problem.js';
import type { AdminParts, Call, Route, RouteParts } from './route.js';
import { allRoutes } from './routes/index.js';
import { spend } from './shares.js';
import { Streams } from './streams.js';
import { validatorCompiler } from './validation.js';

const BODY_BYTES = 64 * 1024;
/** A whole request must be in within this time, the largest import too. */
const REQUEST_TIMEOUT_MS = 60_000;

const allMethods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** What every answer carries: nothing here is to be kept, guessed at or framed. */
const securityHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The HTTP door for operators: the API, the probes, and the files of the web console. */
export class AdminServer {
  readonly #app: FastifyInstance;
  readonly #lateOrders: LateOrders;
  readonly #callers = new WeakMap<FastifyRequest, AdminClaims>();
  readonly #logged = new WeakSet<object>();
  readonly #parts: RouteParts;

  constructor(parts: AdminParts) {
    this.#lateOrders = new LateOrders(parts.standstill);
    this.#parts = {
      ...parts,
      failedLogIns: new FailedLogIns(parts.clock),
      streams: new Streams(parts.wallMs),
      overviews: new Overviews(parts),
      importPlaces: new ImportPlaces(),
    };
    this.#app = fastify({
      bodyLimit: BODY_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      exposeHeadRoutes: false,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: 1024 },
      frameworkErrors: (error, _request, reply) => void this.#refuse(error, reply as FastifyReply),
      http: { maxHeaderSize: 16_384, headersTimeout: 10_000, connectionsCheckingInterval: 1000 },
    });
    this.#app.setValidatorCompiler(validatorCompiler as never);
    this.#app.setErrorHandler((error, request, reply) => this.#refuse(error, reply, request));
    this.#app.setNotFoundHandler((request, reply) => this.#refuse(nothingAt(request), reply));
    this.#app.addHook('onRequest', async (request, reply) => {
      reply.headers(securityHeaders);
      parts.standstill.heard();
      refuseBadHost(request);
      refuseForeignName(request, parts.consoleOrigins);
    });
    this.#app.server.on('connection', () => parts.standstill.heard());
    this.#app.removeContentTypeParser('text/plain');
    serveProbes(this.#app, parts);
    serveConsole(this.#app, parts);
    for (const route of allRoutes) this.#serve(route);
    this.#refuseOtherMethods();
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await listenAt(host, (at) => this.#app.listen({ host: at, port }));
    this.#app.server.on('error', (error) =>
      this.#parts.log.error({ reason: error.message }, 'admin server failed'),
    );
    return this.#app.server.address() as AddressInfo;
  }

  async close(): Promise<void> {
    await this.#app.close();
  }

  #serve(route: Route): void {
    const register = (scope: FastifyInstance) => {
      scope.route({
        method: route.method,
        url: fastifyPath(route.path),
        exposeHeadRoute: route.method === 'GET',
        schema: { querystring: route.query, ...(route.body !== null && { body: route.body }) },
        onRequest: async (request, reply) => this.#admit(request, reply, route),
        preHandler: async (request) => this.#findOrg(request, route),
        onResponse: async (request, reply) => this.#logWrite(request, reply, route),
        handler: (request, reply) => this.#answer(request, reply, route),
      });
    };
    const { accepts } = route;
    if (accepts === undefined) {
      register(this.#app);
      return;
    }
    this.#app.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      const limits = { parseAs: 'buffer', bodyLimit: this.#parts.limits.importMaxBytes } as const;
      scope.addContentTypeParser(accepts.contentType, limits, (_request, body, done) => done(null, body));
      register(scope);
    });
  }

  async #admit(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<void> {
    const params = paramsWithNames(request.params as Record<string, string>, route.method === 'GET');
    if (params !== null) request.params = params;
    // When it was read counts, not when it was found that its sender may.
    this.#lateOrders.begin(request, route);
    const caller = await admit(request, route, this.#parts);
    if (caller !== null) this.#callers.set(request, caller);
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      throw new Problem(415, 'content_encoding', 'the body must not be compressed');
    }
    if (params === null || !Object.values(params).every(isPlainText)) throw notFound();
    if (caller !== null && route.cost !== undefined) {
      const { store, limits } = this.#parts;
      await spend(route.cost, caller, { costly: store.costly, perMinute: limits.costlyPerMinute });
    }
    // Before the file is read: it is in memory from then on.
    if (route.accepts !== undefined) this.#takePlace(request, reply, params.org ?? '');
  }

  /** Takes the org's place for a file, until its sender has the answer or has gone. */
  #takePlace(request: FastifyRequest, reply: FastifyReply, org: string): void {
    const leave = this.#parts.importPlaces.take(org);
    // Whether the sender may do this was asked of Redis: meanwhile they may have gone, and nothing tells of it any more.
    if (request.raw.socket.destroyed) leave();
    else reply.raw.once('close', leave);
  }

  async #findOrg(request: FastifyRequest, route: Route): Promise<void> {
    const { org } = request.params as { org?: string };
    // The owners' trail is of no org.
    if (org === undefined || org === OWNERS_ORG || route.foundsOrg) return;
    if (!(await this.#parts.store.orgs.exists(org))) throw notFound('org');
  }

  async #answer(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<unknown> {
    this.#lateOrders.check(request, route);
    if (route.accepts === undefined) return this.#handle(request, reply, route);
    // The sender may go while this goes on: until its end no other file of the org is read.
    const leave = this.#parts.importPlaces.hold((request.params as { org?: string }).org ?? '');
    try {
      return await this.#handle(request, reply, route);
    } finally {
      leave();
    }
  }

  async #handle(request: FastifyRequest, reply: FastifyReply, route: Route): Promise<unknown> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const body = withNames(request.body);
    const isFile = body instanceof Buffer;
    // Never by spreading a file: each of its bytes would become a property.
    const { org = isFile ? undefined : (body as { org?: string } | undefined)?.org } = request.params as {
      org?: string;
    };
    const { spellings } = this.#parts.store;
    const call: Call = {
      params: await withKeptNames(request.params, org, spellings),
      query: await withKeptNames(withNames(request.query), org, spellings),
      body: isFile ? body : await withKeptNames(body, org, spellings),
      caller: this.#callers.get(request) as AdminClaims,
      request,
      reply,
      signal: gone.signal,
    };
    reply.code(route.success.status);
    const answer = await route.handle(call, this.#parts);
    // Once it has begun, whoever reads it only sees that it broke off.
    if (answer instanceof Readable) answer.once('error', (error) => this.#failed(error, route.path));
    return reply.send(request.method === 'HEAD' && answer instanceof Readable ? unread(answer) : answer);
  }

  /** One line a write: who did what to which org, and how it ended. */
  #logWrite(request: FastifyRequest, reply: FastifyReply, route: Route): void {
    const caller = this.#callers.get(request);
    if (route.method === 'GET' || caller === undefined) return;
    const { org } = request.params as { org?: string };
    const line = { action: route.id, actor: caller.subject, org, status: reply.statusCode };
    this.#parts.log.info(line, 'admin write');
  }

  #refuse(error: unknown, reply: FastifyReply, request?: FastifyRequest): FastifyReply {
    let problem = problemOf(error);
    const url = request?.routeOptions.url;
    if (problem === null || error instanceof StoreUnavailable) this.#failed(error, url);
    if (problem === null) {
      problem = new Problem(500, 'internal', 'something went wrong here; the log says more');
    }
    return reply
      .code(problem.status)
      .headers({ ...securityHeaders, ...problem.headers })
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problem.body));
  }

  /** Maps an error to an answer and logs its cause. An unreachable Redis has a log line of its own, so it is only at debug here. */
  #failed(error: unknown, route: string | undefined): void {
    // An answer that breaks off before its first byte comes by twice.
    if (this.#logged.has(Object(error))) return;
    this.#logged.add(Object(error));
    const level = error instanceof StoreUnavailable ? 'debug' : 'error';
    this.#parts.log[level]({ reason: String(error), route }, 'admin request failed');
  }

  /** What a path does not serve is refused by name, rather than as if the path were unknown. */
  #refuseOtherMethods(): void {
    const served = new Map<string, HTTPMethods[]>();
    for (const { path, method } of allRoutes) {
      const methods: HTTPMethods[] = method === 'GET' ? ['GET', 'HEAD'] : [method];
      served.set(path, [...(served.get(path) ?? []), ...methods]);
    }
    for (const path of [...probePaths, ...consolePaths]) served.set(path, ['GET', 'HEAD']);
    for (const [path, methods] of served) {
      const refuse = async () => {
        throw wrongMethod(methods);
      };
      this.#app.route({
        method: allMethods.filter((method) => !methods.includes(method)) as HTTPMethods[],
        url: fastifyPath(path),
        // Before the body is looked at, which may be none.
        onRequest: refuse,
        handler: refuse,
      });
    }
  }
}

/** Methods that are served nowhere here, as TRACE, are known to no path. */
function nothingAt({ method }: FastifyRequest): Problem {
  return allMethods.includes(method as HTTPMethods) ? notFound() : wrongMethod(allMethods);
}

function wrongMethod(served: readonly HTTPMethods[]): Problem {
  const allow = { Allow: served.join(', ') };
  return new Problem(405, 'method', 'this method is not served here', {}, allow);
}

/** A stream that ends at once, in place of one that nobody will read: HEAD has the headers alone. */
function unread(stream: Readable): Readable {
  stream.destroy();
  return Readable.from([]);
}

function fastifyPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}
