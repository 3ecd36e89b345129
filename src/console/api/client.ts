import type { Page } from './types.js';

/** One kind of fault in a file: how many lines have it, and the first of them. */
export interface LineFaults {
  readonly problem: string;
  readonly count: number;
  readonly lines: readonly number[];
}

interface RefusalFacts {
  readonly fields?: readonly { readonly field: string; readonly problem: string }[] | undefined;
  readonly faults?: readonly LineFaults[] | undefined;
  /** Of a 404: which part of the path names nothing. */
  readonly missing?: string | undefined;
}

/** What the server says no with (RFC 9457), or why it could not be reached (status 0). */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    title: string,
    readonly facts: RefusalFacts = {},
  ) {
    super(title);
  }
}

export interface CallOptions {
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as it is; then `contentType` says what it is. */
  readonly text?: string | Blob;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

let whenSignedOut: () => void = () => {};

/** Calls back when the server no longer knows who is signed in: the token ended. */
export function onSignedOut(callback: () => void): void {
  whenSignedOut = callback;
}

/** Asks the admin API; the browser adds the cookie. Rejects with Refusal, or with AbortError. */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
  const response = await open(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** As `call`, for an answer of JSON lines: each is handed over as soon as it is there. */
export async function callForLines<T>(
  method: Method,
  path: string,
  options: CallOptions,
  onLine: (line: T) => void,
): Promise<void> {
  const response = await open(method, path, options);
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? '')).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    for (const line of lines) if (line.trim() !== '') onLine(JSON.parse(line) as T);
    if (done) return;
  }
}

/** A path of the admin API as it is reached from this page, which a proxy may have put under a path of its own. */
export function fromPage(path: string): string {
  return `..${path}`;
}

async function open(method: Method, path: string, options: CallOptions): Promise<Response> {
  const { body, text, contentType = 'application/json', headers, signal } = options;
  const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
  const response = await fetch(fromPage(path), {
    method,
    headers: {
      Accept: 'application/json',
      ...(payload !== undefined && { 'Content-Type': contentType }),
      ...headers,
    },
    ...(payload !== undefined && { body: payload }),
    ...(signal !== undefined && { signal }),
  }).catch((error: Error) => {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(0, 'unreachable', 'The server cannot be reached.');
  });
  if (response.ok) return response;
  const refusal = await refusalOf(response);
  if (refusal.status === 401) whenSignedOut();
  throw refusal;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const problem = (await response.json().catch(() => ({}))) as RefusalFacts & {
    readonly code?: string;
    readonly title?: string;
  };
  const title = problem.title ?? `The server answered ${response.status}.`;
  return new Refusal(response.status, problem.code ?? '', title, problem);
}

/** Whether the server says that there is no such thing: an org, where one is named. */
export function isMissing(error: Error | null, what?: string): boolean {
  return (
    error instanceof Refusal && error.status === 404 && (what === undefined || error.facts.missing === what)
  );
}

/** The path of something of an org. */
export function orgPath(org: string, ...parts: readonly string[]): string {
  return ['/v1/admin/orgs', ...[org, ...parts].map(encodeURIComponent)].join('/');
}

type Query = Readonly<Record<string, string | number | null | undefined>>;

/** Adds what is set to a path. */
export function withQuery(path: string, query: Query): string {
  const set = Object.entries(query).filter(([, value]) => value != null && value !== '');
  const text = new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}

export function getPage<T>(path: string, query: Query, signal: AbortSignal): Promise<Page<T>> {
  return call<Page<T>>('GET', withQuery(path, query), { signal });
}

/** A fresh key under which the server does a request once, however often it comes. */
export function newRequestKey(): string {
  // Not randomUUID: browsers offer it on HTTPS and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
