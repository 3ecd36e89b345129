import { Readable } from 'node:stream';
import { decodeCsv } from '../../license/csv.js';
import type { Faults } from '../../license/faults.js';
import { checkImport, type ImportEvent, runImport } from '../../license/import.js';
import { readImport } from '../../license/read-import.js';
import type { Licenses } from '../../store/licenses.js';
import { actorOf } from '../access.js';
import { CSV_TYPE, csvLine } from '../csv.js';
import { licenseView } from '../license-view.js';
import { Problem } from '../problem.js';
import { route } from '../route.js';

const tag = 'licenses';
const org = '/v1/admin/orgs/{org}';
const MAX_BYTES = 16 * 1024 * 1024;
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
      'Issues all licenses of a CSV file, or none: columns user, expiresAt and note, among others and in any order; separated by commas, semicolons or tabs; UTF-8, UTF-16 or Windows-1252. Answers with progress, one JSON object a line: progress, then done or failed.',
    accepts: { contentType: 'text/csv', maxBytes: MAX_BYTES },
    success: { status: 200, streams: ['application/x-ndjson'] },
    problems: [
      { status: 409, when: 'The quota does not suffice' },
      { status: 413, when: 'The file is larger than 16 MiB' },
      { status: 415, when: 'The body is not text/csv' },
      {
        status: 422,
        when: 'Lines are bad: each kind of fault is named with its lines, and nothing is imported',
      },
    ],
    handle: async ({ params, caller, request, reply }, { store, newId, log }) => {
      const nowMs = store.redisClock.nowMs() ?? Date.now();
      const bytes = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
      const timeZone = await store.orgs.timeZone(params.org);
      const ignoresCase = await store.spellings.ignoresCase(params.org);
      const read = await readImport(decodeCsv(bytes), { nowMs, timeZone, ignoresCase });
      const { faults, warnings } = read;
      const users = await store.spellings.keptAll(
        params.org,
        read.lines.map(({ user }) => user),
      );
      const lines = read.lines.map((line, index) => ({ ...line, user: users[index] ?? line.user }));
      const { missingQuota } = await checkImport(store, params.org, lines, { faults, warnings });
      if (faults.count > 0) throw badLines(faults);
      if (missingQuota > 0) {
        const more = { missing: missingQuota };
        throw new Problem(409, 'quota_exhausted', 'the quota does not suffice for this file', more);
      }
      reply.type('application/x-ndjson');
      // The import goes on when whoever asked for it has gone: the audit trail tells how it ended.
      const out = new Readable({ read: () => {} });
      const order = { org: params.org, actor: actorOf(caller), lines };
      const tell = (event: ImportEvent) => {
        const isWarned = event.type === 'done' && warnings.count > 0;
        out.push(`${JSON.stringify(isWarned ? { ...event, warnings: warnings.all } : event)}\n`);
      };
      runImport(store, order, newId, tell)
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

function badLines(faults: Faults): Problem {
  return new Problem(422, 'bad_lines', 'lines are bad; nothing was imported', {
    faults: faults.all,
    lines: faults.byLine,
    badLines: faults.count,
  });
}

const columns = ['user', 'id', 'status', 'issuedAt', 'expiresAt', 'lastUsedAt', 'note'] as const;

async function* csvOf(licenses: Licenses, orgName: string, signal: AbortSignal): AsyncGenerator<string> {
  yield csvLine(columns);
  for (let cursor: string | null = null; !signal.aborted; ) {
    const page = await licenses.page(orgName, { revoked: false }, cursor, PAGE);
    yield page.items
      .map(licenseView)
      // As it was given: what is exported can be imported again.
      .map((license) => ({ ...license, expiresAt: license.expiresOn ?? license.expiresAt }))
      .map((license) => csvLine(columns.map((name) => license[name])))
      .join('');
    if (page.next === null) return;
    cursor = page.next;
  }
}
