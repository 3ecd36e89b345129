import { Readable } from 'node:stream';
import { Faults } from '../../license/faults.js';
import { checkImport, type ImportEvent, runImport } from '../../license/import.js';
import { FileTooLarge, ImportFile } from '../../license/import-file.js';
import type { Licenses } from '../../store/licenses.js';
import type { Store } from '../../store/store.js';
import { actorOf } from '../access.js';
import { CSV_TYPE, csvLine } from '../csv.js';
import { nameFile } from '../file-names.js';
import { importRunning } from '../import-places.js';
import { licenseView } from '../license-view.js';
import { Problem } from '../problem.js';
import { route } from '../route.js';

const tag = 'licenses';
const org = '/v1/admin/orgs/{org}';
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
    cost: 'import',
    accepts: { contentType: 'text/csv' },
    success: { status: 200, streams: ['application/x-ndjson'] },
    problems: [
      { status: 409, when: 'The quota does not suffice' },
      { status: 413, when: 'The file is larger than SOLESEAT_IMPORT_MAX_BYTES' },
      { status: 415, when: 'The body is not text/csv' },
      {
        status: 422,
        when: 'Lines are bad: each kind of fault is named with its lines, and nothing is imported',
      },
      { status: 429, when: 'Another import of the org is under way' },
      { status: 503, when: 'Four imports run at this node' },
    ],
    handle: async ({ params, caller, request, reply }, parts) => {
      const { store, limits, importPlaces, newId, log } = parts;
      const { org } = params;
      const rules = {
        nowMs: store.redisClock.nowMs() ?? Date.now(),
        timeZone: await store.orgs.timeZone(org),
        ignoresCase: await store.spellings.ignoresCase(org),
        maxLines: limits.importMaxLines,
      };
      const file = new ImportFile(request.body instanceof Buffer ? request.body : Buffer.alloc(0), rules);
      const leave = importPlaces.hold(org);
      const end = () => file.close().finally(leave);
      try {
        const { total, warnings } = await checked(store, org, file);
        const actor = actorOf(caller);
        const importId = newId();
        if (!(await store.imports.begin(org, importId, actor))) throw importRunning();
        // The import goes on when whoever asked for it has gone: the audit trail tells how it ended.
        const out = new Readable({ read: () => {} });
        const tell = (event: ImportEvent) => {
          const isWarned = event.type === 'done' && warnings.count > 0;
          out.push(`${JSON.stringify(isWarned ? { ...event, warnings: warnings.all } : event)}\n`);
        };
        runImport(store, { org, actor, file, total }, { importId, newId }, tell)
          .catch((error: unknown) => log.error({ reason: String(error) }, 'import failed'))
          .finally(end)
          .finally(() => out.push(null));
        reply.type('application/x-ndjson');
        return out;
      } catch (error) {
        await end();
        throw error instanceof FileTooLarge ? new Problem(413, 'too_large', error.message) : error;
      }
    },
  }),
  route({
    id: 'exportLicenses',
    method: 'GET',
    path: `${org}/license-export`,
    role: 'viewer',
    cost: 'export',
    tag,
    summary: 'All licenses but the revoked ones, as CSV in the order of their issue.',
    success: { status: 200, streams: ['text/csv'] },
    handle: async (call, { store, streams }) => {
      await nameFile(call.reply, { org: call.params.org, what: 'licenses', extension: 'csv' }, store);
      return streams.answer(call, CSV_TYPE, (signal) => csvOf(store.licenses, call.params.org, signal));
    },
  }),
];

/** Reads the file, and throws the Problem that refuses it whole. */
async function checked(store: Store, org: string, file: ImportFile) {
  const notes = { faults: new Faults(), warnings: new Faults() };
  const { total, missingQuota } = await checkImport(store, org, file, notes);
  if (notes.faults.count > 0) throw badLines(notes.faults);
  if (missingQuota > 0) {
    const more = { missing: missingQuota };
    throw new Problem(409, 'quota_exhausted', 'the quota does not suffice for this file', more);
  }
  return { total, warnings: notes.warnings };
}

function badLines(faults: Faults): Problem {
  return new Problem(422, 'bad_lines', 'lines are bad; nothing was imported', {
    faults: faults.all,
    lines: faults.byLine,
    badLines: faults.count,
  });
}

const columns = [
  ...(['user', 'id', 'status', 'issuedAt', 'expiresAt', 'lastUsedAt', 'note'] as const),
  ...(['kind', 'startsAt', 'graceDays', 'idleExempt'] as const),
];

async function* csvOf(licenses: Licenses, orgName: string, signal: AbortSignal): AsyncGenerator<string> {
  yield csvLine(columns);
  for (let cursor: string | null = null; !signal.aborted; ) {
    const page = await licenses.page(orgName, { revoked: false }, cursor, PAGE);
    yield page.items
      .map(licenseView)
      // As it was given: what is exported can be imported again.
      .map((license) => ({
        ...license,
        expiresAt: license.expiresOn ?? license.expiresAt,
        graceDays: license.graceDays || '',
        idleExempt: license.idleExempt ? 'true' : '',
      }))
      .map((license) => csvLine(columns.map((name) => license[name])))
      .join('');
    if (page.next === null) return;
    cursor = page.next;
  }
}
