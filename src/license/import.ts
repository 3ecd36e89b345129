import { StoreUnavailable } from '../store/errors.js';
import type { Imports } from '../store/imports.js';
import type { Actor, LicenseRefusal } from '../store/license-types.js';
import type { Licenses } from '../store/licenses.js';
import type { Orgs } from '../store/orgs.js';
import type { Faults } from './faults.js';
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
}

/** Users looked up, or licenses issued, at a time. */
const BATCH = 200;
const PROGRESS_STEPS = 50;

/** Adds what stands in the way of the lines as things are. The quota is looked at by `runImport` too, with each license. */
export async function checkImport(
  { licenses, orgs }: ImportParts,
  org: string,
  lines: readonly ImportLine[],
  { faults, warnings }: { readonly faults: Faults; readonly warnings: Faults },
): Promise<{ readonly missingQuota: number }> {
  for (const batch of batchesOf(lines)) {
    const issued = await licenses.issuedAmong(
      org,
      batch.map(({ user }) => user),
    );
    for (const [index, { line }] of batch.entries()) {
      if (issued[index]) faults.add(line, 'the user has a license');
    }
    for (const { line, user } of batch) {
      if ((await licenses.lookAlike(org, user)) !== null)
        warnings.add(line, 'a user of the same name in other letters has a license');
    }
  }
  const { available } = await orgs.counts(org);
  return { missingQuota: available === null ? 0 : Math.max(0, lines.length - available) };
}

/**
 * Issues all of the lines, or none: whatever goes wrong, also the end of this node, what was issued is taken back.
 * Rejects with a defect only, when all of this is done.
 */
export async function runImport(
  parts: ImportParts,
  order: { readonly org: string; readonly actor: Actor; readonly lines: readonly ImportLine[] },
  newId: () => string,
  onEvent: (event: ImportEvent) => void,
): Promise<ImportEvent> {
  const { org, actor, lines } = order;
  const importId = newId();
  try {
    await parts.orgs.enter(org);
    await parts.imports.begin(org, importId, actor);
    const faults = await issueAll(parts, order, importId, newId, onEvent);
    if (faults === null && (await parts.imports.commit(org, importId, actor, lines.length))) {
      return finish({ type: 'done', issued: lines.length }, onEvent);
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
  { licenses, imports }: ImportParts,
  {
    org,
    actor,
    lines,
  }: { readonly org: string; readonly actor: Actor; readonly lines: readonly ImportLine[] },
  importId: string,
  newId: () => string,
  onEvent: (event: ImportEvent) => void,
): Promise<Failure | null> {
  const total = lines.length;
  let shown = 0;
  onEvent({ type: 'progress', done: 0, total });
  for (const [index, batch] of [...batchesOf(lines)].entries()) {
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
    const done = Math.min(total, (index + 1) * BATCH);
    if (done - shown >= total / PROGRESS_STEPS) {
      shown = done;
      onEvent({ type: 'progress', done, total });
    }
  }
  return null;
}

function* batchesOf(lines: readonly ImportLine[]): Generator<readonly ImportLine[]> {
  for (let from = 0; from < lines.length; from += BATCH) yield lines.slice(from, from + BATCH);
}
