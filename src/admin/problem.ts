import { OnLeave, StoreUnavailable } from '../store/errors.js';
import { BadCursor } from '../store/paging.js';

export interface Fault {
  /** The field, as a path like `limit` or `user`. */
  readonly field: string;
  readonly problem: string;
}

type Headers = Readonly<Record<string, string>>;

/** An answer that is an error, as RFC 9457 has it. What it says is constant, but for names of fields and lines. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** For programs; stays the same when the words change. */
    readonly code: string,
    readonly title: string,
    readonly more: Readonly<Record<string, unknown>> = {},
    readonly headers: Headers = {},
  ) {
    super(title);
  }

  get body(): Readonly<Record<string, unknown>> {
    return { status: this.status, code: this.code, title: this.title, ...this.more };
  }
}

export const PROBLEM_TYPE = 'application/problem+json';

/** What a path may name that is not there. */
const missingTitles = {
  org: 'there is no such org',
  user: 'nothing is known of this user',
  license: 'this user has no license',
  session: 'this user has no session at present',
  webhook: 'there is no such webhook',
};

/** 404; `missing` tells a program which part of the path was wrong. */
export const notFound = (missing?: keyof typeof missingTitles) =>
  missing === undefined
    ? new Problem(404, 'not_found', 'there is no such thing')
    : new Problem(404, 'not_found', missingTitles[missing], { missing });
export const invalid = (fields: readonly Fault[]) =>
  new Problem(422, 'invalid', 'a field is missing, unknown or out of range', { fields });

/** What Fastify finds wrong before a handler runs. */
const fastifyProblems: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: new Problem(415, 'media_type', 'this content type is not accepted here'),
  FST_ERR_CTP_BODY_TOO_LARGE: new Problem(413, 'too_large', 'the body is too large'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: new Problem(400, 'bad_length', 'the body is not as long as announced'),
  FST_ERR_MAX_PARAM_LENGTH: new Problem(414, 'long_url', 'a part of the path is too long'),
  FST_ERR_BAD_URL: new Problem(400, 'bad_url', 'the path is not well-formed'),
};

/** The title names the cause in words that are the same for everybody: no host, no user, no secret. */
function unavailable({ why }: StoreUnavailable): Problem {
  return new Problem(503, 'store_unavailable', why.says, { cause: why.kind }, { 'Retry-After': '2' });
}

function onLeave({ leaveUntilMs }: OnLeave): Problem {
  const until = new Date(leaveUntilMs).toISOString();
  const title = 'the user took the seat along, and cannot be told: `forced` ends it all the same';
  return new Problem(409, 'on_leave', title, { leaveUntil: until });
}

/** The answer that an error leads to; null for one that nobody foresaw. Nothing of the error's own text goes out. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof BadCursor) return new Problem(400, 'bad_cursor', error.message);
  if (error instanceof OnLeave) return onLeave(error);
  if (error instanceof StoreUnavailable) return unavailable(error);
  const { code = '', statusCode } = error as { code?: string; statusCode?: number };
  const known = fastifyProblems[code];
  if (known !== undefined) return known;
  if (statusCode === 400) return new Problem(400, 'bad_json', 'the body is not JSON');
  // Whatever else Fastify finds wrong with a request is no defect of ours.
  const isOfRequest = statusCode !== undefined && statusCode >= 400 && statusCode < 500;
  return isOfRequest ? new Problem(statusCode, 'bad_request', 'this request is not served') : null;
}
