import { CommandFailure, exitCodes, type FailureFacts } from '../failure.js';
import { clean } from './clean.js';

/** One kind of fault in a file: how many lines have it, and the first of them. */
export interface LineFaults {
  readonly problem: string;
  readonly count: number;
  readonly lines: readonly number[];
}

interface ProblemDocument {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly missing?: string;
  readonly fields?: readonly { readonly field: string; readonly problem: string }[];
  readonly faults?: readonly LineFaults[];
}

const LINES_SHOWN = 20;

/** The third part of a path of the API, and the kind of name behind it: behind `licenses` stands a user. */
const namedBy: Readonly<Record<string, string>> = {
  licenses: 'user',
  sessions: 'user',
  machines: 'user',
  history: 'user',
  users: 'user',
  revocations: 'user',
  'machine-rules': 'machine',
};

/** The org, and the user or machine, that a request is about. */
export function subjectOf(path: string, json?: unknown): FailureFacts {
  const [kind, name, list = '', item] = path
    .replace(/^\/v1\/admin\//, '')
    .split('/')
    .map(decodeURIComponent);
  if (kind === 'webhooks') return name === undefined ? {} : { webhook: name };
  if (kind !== 'orgs' || name === undefined) return {};
  const { user, to } = (json ?? {}) as { user?: unknown; to?: unknown };
  const given = item ?? (typeof user === 'string' ? user : undefined);
  const of = namedBy[list];
  return {
    org: name,
    ...(of !== undefined && given !== undefined && { [of]: given }),
    ...(typeof to === 'string' && { to }),
  };
}

/** A failure that says what the broker refused, and names the user and the org. */
export async function refusalOf(response: Response, subject: FailureFacts): Promise<CommandFailure> {
  const problem = readProblem(await response.text().catch(() => ''));
  const { code, fields = [], faults = [], missing } = problem;
  const title = problem.detail ?? problem.title ?? `the broker answered ${response.status}`;
  const details = [
    ...faults.map(faultText),
    ...fields.map(({ field, problem: what }) => `  ${field} ${what}`),
  ];
  const hint = response.status === 401 ? ['Give an admin token with --token or SOLESEAT_ADMIN_TOKEN.'] : [];
  const sentence = [`${prefixFor(subject)}${title}`, ...details, ...hint].map(clean).join('\n');
  return new CommandFailure(sentence, exitCodeOf(response.status), {
    ...(code !== undefined && { code }),
    status: response.status,
    ...subject,
    ...(missing !== undefined && { missing }),
    ...(fields.length > 0 && { fields }),
    ...(faults.length > 0 && { faults }),
  });
}

/** Like `user ada, to grace, org acme: `. */
function prefixFor(subject: FailureFacts): string {
  const names = ['user', 'to', 'machine', 'webhook', 'org'].filter((name) => subject[name] !== undefined);
  return names.length === 0 ? '' : `${names.map((name) => `${name} ${subject[name]}`).join(', ')}: `;
}

export function faultText({ problem, count, lines }: LineFaults): string {
  const shown = lines.slice(0, LINES_SHOWN);
  const more = count > shown.length ? ` and ${count - shown.length} more` : '';
  return `  ${count === 1 ? 'line' : 'lines'} ${shown.join(', ')}${more}: ${problem}`;
}

/** Which exit code an answer of the API means: refused by right or by state, wrong call, or out of reach. */
function exitCodeOf(status: number): number {
  if (status === 401 || status === 403 || status === 409 || status === 429) return exitCodes.refused;
  if (status === 400 || status === 413 || status === 415 || status === 422) return exitCodes.usage;
  return status === 503 ? exitCodes.unavailable : exitCodes.failed;
}

function readProblem(text: string): ProblemDocument {
  try {
    return JSON.parse(text) as ProblemDocument;
  } catch {
    return {};
  }
}
