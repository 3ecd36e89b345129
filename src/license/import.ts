import { readTime } from '../base/rfc3339.js';
import { isPlainText } from '../protocol/text.js';
import { StoreUnavailable } from '../store/errors.js';
import type { Imports } from '../store/imports.js';
import type { Actor, LicenseRefusal } from '../store/license-types.js';
import type { Licenses } from '../store/licenses.js';
import type { Orgs } from '../store/orgs.js';
import { BadCsv, type CsvRecord, readCsv, withFormula } from './csv.js';

/** One license to issue. */
export interface ImportLine {
  /** The line of the file, from 1. */
  readonly line: number;
  readonly user: string;
  /** Unix ms. */
  readonly expiresAt?: number;
  readonly note?: string;
}

export interface LineFault {
  readonly line: number;
  readonly problem: string;
}

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

const columns = ['user', 'expiresAt', 'note'] as const;
type Column = (typeof columns)[number];

/** Users looked up, or licenses issued, at a time. */
const BATCH = 200;
const PROGRESS_STEPS = 50;

/** Reads the file: `user,expiresAt,note` with a header line, the columns in any order, only `user` needed. */
export async function readImport(
  text: string,
  nowMs: number,
): Promise<{ readonly lines: readonly ImportLine[]; readonly faults: readonly LineFault[] }> {
  const lines: ImportLine[] = [];
  const faults: LineFault[] = [];
  const seen = new Map<string, number>();
  let header: readonly Column[] | null = null;
  try {
    for await (const record of readCsv(text)) {
      if (header === null) {
        header = readHeader(record.cells);
        if (header !== null) continue;
        const problem = `the first line must name the columns: user, and if wanted expiresAt and note`;
        return { lines, faults: [{ line: record.line, problem }] };
      }
      const read = readLine(record, header, nowMs);
      const earlier = seen.get(read.user);
      if (earlier === undefined) seen.set(read.user, read.line);
      const problem = earlier === undefined ? read.problem : `the user stands on line ${earlier} too`;
      if (problem === null) lines.push(read.item);
      else faults.push({ line: read.line, problem });
    }
  } catch (error) {
    if (!(error instanceof BadCsv)) throw error;
    faults.push({ line: error.line, problem: error.message });
  }
  if (lines.length === 0 && faults.length === 0)
    faults.push({ line: 1, problem: 'there is no license to issue' });
  return { lines, faults };
}

/** What stands in the way of the lines as things are. The quota is looked at by `runImport` too, with each license. */
export async function checkImport(
  { licenses, orgs }: ImportParts,
  org: string,
  lines: readonly ImportLine[],
): Promise<{ readonly faults: readonly LineFault[]; readonly missingQuota: number }> {
  const faults: LineFault[] = [];
  for (const batch of batchesOf(lines)) {
    const issued = await licenses.issuedAmong(
      org,
      batch.map(({ user }) => user),
    );
    for (const [index, { line }] of batch.entries()) {
      if (issued[index]) faults.push({ line, problem: 'the user has a license' });
    }
  }
  const { available } = await orgs.counts(org);
  return { faults, missingQuota: available === null ? 0 : Math.max(0, lines.length - available) };
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

function readHeader(cells: readonly string[]): readonly Column[] | null {
  const names = cells.map((cell) => cell.trim());
  const known = names.filter((name): name is Column => columns.some((column) => column === name));
  const isFine =
    known.length === names.length && new Set(names).size === names.length && known.includes('user');
  return isFine ? known : null;
}

function readLine({ line, cells }: CsvRecord, header: readonly Column[], nowMs: number) {
  const cell = (name: Column) => withFormula(cells[header.indexOf(name)] ?? '');
  const [user, expiresText, note] = [cell('user'), cell('expiresAt'), cell('note')];
  const expiresAt = expiresText === '' ? null : readTime(expiresText);
  const item: ImportLine = {
    line,
    user,
    ...(expiresAt !== null && { expiresAt }),
    ...(note !== '' && { note }),
  };
  const problem =
    cells.length !== header.length
      ? `there are more or fewer than ${header.length} cells`
      : !isPlainText(user)
        ? 'user is empty, longer than 256 bytes, or holds control characters'
        : expiresText !== '' && expiresAt === null
          ? 'expiresAt is no time like 2027-01-31T00:00:00Z'
          : expiresAt !== null && expiresAt <= nowMs
            ? 'expiresAt is in the past'
            : note !== '' && !isPlainText(note)
              ? 'note is longer than 256 bytes, or holds control characters'
              : null;
  return { line, user, item, problem };
}

function* batchesOf(lines: readonly ImportLine[]): Generator<readonly ImportLine[]> {
  for (let from = 0; from < lines.length; from += BATCH) yield lines.slice(from, from + BATCH);
}
