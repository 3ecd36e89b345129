import { Readable } from 'node:stream';
import { checkImport, type LineFault, readImport, runImport } from '../../license/import.js';
import type { Licenses } from '../../store/licenses.js';
import { actorOf } from '../access.js';
import { CSV_TYPE, csvLine } from '../csv.js';
import { licenseView } from '../license-view.js';
import { Problem } from '../problem.js';
import { route } from '../route.js';

const tag = 'licenses';
const org = '/v1/admin/orgs/{org}';
const MAX_BYTES = 16 * 1024 * 1024;
/** More bad lines are counted only. */
const FAULTS_NAMED = 1000;
const PAGE = 500;

export const bulkRoutes = [
  route({
    id: 'importLicenses',
    method: 'POST',
    path: `${org}/license-import`,
    role: 'admin',
    foundsOrg: true,
    tag,
    summary:
      'Issues all licenses of a CSV file (user,expiresAt,note with a header line), or none. Answers with progress, one JSON object a line: progress, then done or failed.',
    accepts: { contentType: 'text/csv', maxBytes: MAX_BYTES },
    success: { status: 200, streams: ['application/x-ndjson'] },
    problems: [
      { status: 409, when: 'The quota does not suffice' },
      { status: 413, when: 'The file is larger than 16 MiB' },
      { status: 415, when: 'The body is not text/csv' },
      { status: 422, when: 'Lines are bad: all are named, and nothing is imported' },
    ],
    handle: async ({ params, caller, request, reply }, { store, newId, log }) => {
      const nowMs = store.redisClock.nowMs() ?? Date.now();
      const { lines, faults } = await readImport(textOf(request.body), nowMs);
      const check = await checkImport(store, params.org, lines);
      if (faults.length + check.faults.length > 0) throw badLines([...faults, ...check.faults]);
      if (check.missingQuota > 0) {
        const more = { missing: check.missingQuota };
        throw new Problem(409, 'quota_exhausted', 'the quota does not suffice for this file', more);
      }
      reply.type('application/x-ndjson');
      // The import goes on when whoever asked for it has gone: the audit trail tells how it ended.
      const out = new Readable({ read: () => {} });
      const order = { org: params.org, actor: actorOf(caller), lines };
      runImport(store, order, newId, (event) => out.push(`${JSON.stringify(event)}\n`))
        .catch((error: unknown) => log.error({ reason: String(error) }, 'import failed'))
        .finally(() => out.push(null));
      return out;
    },
  }),
  route({
    id: 'exportLicenses',
    method: 'GET',
    path: `${org}/license-export`,
    role: 'viewer',
    tag,
    summary: 'All licenses but the revoked ones, as CSV in the order of their issue.',
    success: { status: 200, streams: ['text/csv'] },
    handle: async (call, { store, streams }) => {
      call.reply.header('Content-Disposition', 'attachment; filename="licenses.csv"');
      return streams.answer(call, CSV_TYPE, (signal) => csvOf(store.licenses, call.params.org, signal));
    },
  }),
];

function textOf(body: unknown): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body instanceof Buffer ? body : Buffer.alloc(0));
  } catch {
    throw new Problem(400, 'bad_text', 'the body is not UTF-8');
  }
}

function badLines(faults: readonly LineFault[]): Problem {
  const sorted = [...faults].sort((a, b) => a.line - b.line);
  return new Problem(422, 'bad_lines', 'lines are bad; nothing was imported', {
    lines: sorted.slice(0, FAULTS_NAMED),
    badLines: sorted.length,
  });
}

const columns = ['user', 'id', 'status', 'issuedAt', 'expiresAt', 'lastUsedAt', 'note'] as const;

async function* csvOf(licenses: Licenses, orgName: string, signal: AbortSignal): AsyncGenerator<string> {
  yield csvLine(columns);
  for (let cursor: string | null = null; !signal.aborted; ) {
    const page = await licenses.page(orgName, { revoked: false }, cursor, PAGE);
    yield page.items
      .map(licenseView)
      .map((license) => csvLine(columns.map((name) => license[name])))
      .join('');
    if (page.next === null) return;
    cursor = page.next;
  }
}
