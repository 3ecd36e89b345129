import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TObject, TProperties, TSchema } from 'typebox';
import type { TokenGate } from '../auth/gate.js';
import type { AdminClaims, Role } from '../auth/tokens.js';
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Metrics } from '../base/metrics.js';
import type { PeerAddress } from '../base/peer-address.js';
import type { Standstill } from '../base/standstill.js';
import type { Store } from '../store/store.js';
import type { Webhook } from '../store/webhooks.js';
import type { FailedLogIns } from './failed-log-ins.js';
import type { ImportPlaces } from './import-places.js';
import type { Overviews } from './overviews.js';
import type { NotReady, ProbedGroup } from './probes.js';
import { object } from './schemas.js';
import type { Cost } from './shares.js';
import type { Streams } from './streams.js';

/** An admin token for whoever opens the console at this very computer. Only `dev` has one to give. */
export interface AutoSignIn {
  readonly mint: () => string;
  readonly lifeMs: number;
}

/** What the routes need of webhooks beside what is stored. */
export interface WebhookTools {
  /** Sends one message at once. Never rejects. */
  readonly tryOut: (
    webhook: Webhook,
  ) => Promise<
    | { readonly outcome: 'delivered'; readonly status: number }
    | { readonly outcome: 'failed'; readonly error: string }
  >;
  readonly newSecret: () => string;
  /** Why events cannot be posted to a URL; null: they can. */
  readonly urlFault: (url: string) => string | null;
}

/** How much one token may ask for (promise 16). */
export interface AdminLimits {
  readonly importMaxBytes: number;
  readonly importMaxLines: number;
  /** Requests of one token in a minute, of each kind that costs much; 0: no limit. */
  readonly costlyPerMinute: number;
}

/** What the routes work with. */
export interface AdminParts {
  readonly store: Store;
  readonly webhooks: WebhookTools;
  readonly gate: TokenGate<AdminClaims>;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly standstill: Standstill;
  readonly newId: () => string;
  /** Unix ms, for tokens. */
  readonly wallMs: () => number;
  /** Null when the node takes new sessions, else why it does not. */
  readonly notReadyBecause: () => NotReady | null;
  /** The processes that share the ports; null where this one stands alone. */
  readonly group: ProbedGroup | null;
  /** Where the console is reached from outside. */
  readonly consoleOrigins: readonly string[];
  /** Null without trusted proxies. */
  readonly peerAddress: PeerAddress | null;
  readonly limits: AdminLimits;
  /** In `dev` alone: lets whoever is at this computer into the console without a token. */
  readonly autoSignIn?: AutoSignIn;
}

export interface RouteParts extends AdminParts {
  readonly failedLogIns: FailedLogIns;
  readonly streams: Streams;
  readonly overviews: Overviews;
  readonly importPlaces: ImportPlaces;
}

/** `{ org: string; user: string }` of `/orgs/{org}/licenses/{user}`. */
type ParamsOf<Path extends string> = Path extends `${string}${'{'}${infer Name}}${infer Rest}`
  ? { readonly [N in Name]: string } & ParamsOf<Rest>
  : unknown;

/** One request, once it was let in and found well-formed. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Who asks. Where the route needs no token, and none was given, it must not be read. */
  readonly caller: AdminClaims;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Aborted when whoever asked has gone. */
  readonly signal: AbortSignal;
}

/** How a route answers when all went well. */
export interface Success {
  readonly status: 200 | 201 | 204;
  readonly schema?: TSchema;
  /** What is streamed instead of one JSON text. */
  readonly streams?: readonly string[];
  /** What each JSON text of a stream holds. */
  readonly frames?: TSchema;
}

interface RouteFrame {
  /** The operation's name: in the OpenAPI document, and as the action in the log. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The least role that may; null: anybody, without a token. */
  readonly role: Role | null;
  /** Only with a token for all orgs. */
  readonly allOrgs?: true;
  /** A POST that only asks. */
  readonly changesNothing?: true;
  /** Also for an org that does not exist yet. */
  readonly foundsOrg?: true;
  readonly tag: string;
  readonly summary: string;
  /** Request headers beside the usual: name and meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What budget of the token it takes from. */
  readonly cost?: Cost;
  /** The content type of the body, where it is a file: read in the org's place for imports, and within their limit. */
  readonly accepts?: { readonly contentType: string };
  readonly success: Success;
  /** Codes of problems beside those that every route may answer with. */
  readonly problems?: readonly { readonly status: number; readonly when: string }[];
}

/** One row of the table of routes: what Fastify, the OpenAPI document, the docs and the tests derive from. */
export interface Route extends RouteFrame {
  readonly path: string;
  readonly query: TObject;
  /** Null: the route takes no body, or one that is not JSON. */
  readonly body: TObject | null;
  readonly handle: (call: Call, parts: RouteParts) => Promise<unknown>;
}

/** Types the handler by path and schemas. */
export function route<
  const Path extends string,
  Query extends TProperties = Record<never, never>,
  Body extends TProperties = Record<never, never>,
>(
  row: RouteFrame & {
    readonly path: Path;
    readonly query?: Query;
    readonly body?: Body;
    readonly handle: (
      call: Call<ParamsOf<Path>, Static<TObject<Query>>, Static<TObject<Body>>>,
      parts: RouteParts,
    ) => Promise<unknown>;
  },
): Route {
  return {
    ...row,
    query: object(row.query ?? {}),
    body: row.body === undefined ? null : object(row.body),
    handle: row.handle as Route['handle'],
  };
}
