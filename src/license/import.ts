import { StoreUnavailable } from '../store/errors.js';
import type { Imports } from '../store/imports.js';
import type { Actor, LicenseRefusal } from '../store/license-types.js';
import type { Licenses } from '../store/licenses.js';
import type { Orgs } from '../store/orgs.js';
import type { Spellings } from '../store/spellings.js';
import type { ImportSource, Notes } from './import-file.js';
import type { ImportLine, LineFault } from './read-import.js';

export type ImportEvent =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'done'; readonly issued: number }
  | {
      readonly type: 'failed';
      /** `internal`: a defect, which the log of the node tells of. */
      readonly code: LicenseRefusal | 'store_unavailable' | 'internal';
      /** Where it failed. */
      readonly lines: readonly LineFault[];
      /** False: it was not possible yet; a node takes everything back as soon as it can. */
      readonly isUndone: boolean;
    };

export interface ImportParts {
  readonly licenses: Licenses;
  readonly imports: Imports;
  readonly orgs: Orgs;
  readonly spellings: Spellings;
}

/** An import to be run. */
export interface ImportOrder {
  readonly org: string;
  readonly actor: Actor;
  readonly file: ImportSource;
  /** How many lines the file has. */
  readonly total: number;
}

const PROGRESS_STEPS = 50;

/**
 * Reads the file once, and notes what stands in the way of its lines as things are. The quota is looked at by `runImport` too,
 * with each license.
 */
export async function checkImport(
  parts: ImportParts,
  org: string,
  file: ImportSource,
  notes: Notes,
): Promise<{ readonly total: number; readonly missingQuota: number }> {
  const { licenses, orgs } = parts;
  let total = 0;
  for await (const batch of spelled(parts, org, file.batches(notes))) {
    total += batch.length;
    const users = batch.map(({ user }) => user);
    const issued = await licenses.issuedAmong(org, users);
    const alike = await licenses.lookAlikes(org, users);
    for (const [index, { line }] of batch.entries()) {
      if (issued[index]) notes.faults.add(line, 'the user has a license');
      if (alike[index] !== null)
        notes.warnings.add(line, 'a user of the same name in other letters has a license');
    }
  }
  const { quota, issued } = await orgs.counts(org);
  // Places that tickets keep may be those of users of the file: each license is asked for its own.
  return { total, missingQuota: quota === null ? 0 : Math.max(0, total - (quota - issued)) };
}

/** The lines with the names by which the org knows their users. */
async function* spelled(
  { spellings }: ImportParts,
  org: string,
  batches: AsyncIterable<readonly ImportLine[]>,
): AsyncGenerator<readonly ImportLine[]> {
  for await (const batch of batches) {
    const users = await spellings.keptAll(
      org,
      batch.map(({ user }) => user),
    );
    yield batch.map((line, index) => ({ ...line, user: users[index] ?? line.user }));
  }
}

/**
 * Issues all of the lines, or none: whatever goes wrong, also the end of this node, what was issued is taken back.
 * `importId`: the import has been begun by that. Rejects with a defect only, when all of this is done.
 */
export async function runImport(
  parts: ImportParts,
  order: ImportOrder,
  { importId, newId }: { readonly importId: string; readonly newId: () => string },
  onEvent: (event: ImportEvent) => void,
): Promise<ImportEvent> {
  const { org, actor, total } = order;
  try {
    await parts.orgs.enter(org);
    const faults = await issueAll(parts, order, importId, newId, onEvent);
    if (faults === null && (await parts.imports.commit(org, importId, actor, total))) {
      return finish({ type: 'done', issued: total }, onEvent);
    }
    const { code, lines: at } = faults ?? { code: 'import_ended' as const, lines: [] };
    await parts.imports.undo(org, importId, actor);
    return finish({ type: 'failed', code, lines: at, isUndone: true }, onEvent);
  } catch (error) {
    // Why it is not undone is why the import failed; the next try is by any node.
    const isUndone = await parts.imports.undo(org, importId, actor).then(
      () => true,
      () => false,
    );
    const isAway = error instanceof StoreUnavailable;
    const code = isAway ? 'store_unavailable' : 'internal';
    const failed = finish({ type: 'failed', code, lines: [], isUndone }, onEvent);
    if (isAway) return failed;
    throw error;
  }
}

function finish(event: ImportEvent, onEvent: (event: ImportEvent) => void): ImportEvent {
  onEvent(event);
  return event;
}

type Failure = { readonly code: LicenseRefusal; readonly lines: readonly LineFault[] };

/** Null: all are issued. */
async function issueAll(
  parts: ImportParts,
  { org, actor, file, total }: ImportOrder,
  importId: string,
  newId: () => string,
  onEvent: (event: ImportEvent) => void,
): Promise<Failure | null> {
  const { licenses, imports } = parts;
  let done = 0;
  let shown = 0;
  onEvent({ type: 'progress', done, total });
  for await (const batch of spelled(parts, org, file.batches())) {
    if (!(await imports.beat(org, importId, actor))) return { code: 'import_ended', lines: [] };
    const answers = await Promise.all(
      batch.map(async ({ line, ...one }) => ({
        line,
        answer: await licenses.issue({ org, actor, ...one, id: newId(), requestId: newId(), importId }),
      })),
    );
    const refused = answers.flatMap(({ line, answer }) =>
      answer.outcome === 'refused' ? [{ line, problem: answer.reason }] : [],
    );
    const [first] = refused;
    if (first !== undefined) return { code: first.problem, lines: refused };
    done += batch.length;
    if (done - shown >= total / PROGRESS_STEPS) {
      shown = done;
      onEvent({ type: 'progress', done, total });
    }
  }
  return null;
}
